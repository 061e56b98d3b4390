import { expect } from 'chai';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { loadData } from '../../data-init/load-data.ts';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { allServices, topicsBefore } from '../../saga/deliver/service.ts';
import { subscriptionOf } from '../../saga/deliver/topology.ts';
import { hasEnded } from '../../saga/ledger/deadline.ts';
import { CANCELED, DEADLINE_EXCEEDED, ledgerPath, RESUMED } from '../../saga/ledger/ledger.ts';
import type { Store } from '../../saga/ports/store.ts';
import type { Step } from '../../saga/step/step.ts';
import { Dice } from '../../test-kit/simulation/chance.ts';
import { type Courier, createCourier } from '../releases/courier.ts';
import { openPlay, type Play } from '../releases/play.ts';
import type { RecordedLetter, Recording } from '../releases/recording.ts';
import { readRecording, recordedReleases } from '../releases/recordings.ts';
import { type Ends, endFaults, ledgersIn, legibilityFaults, loadRecording } from '../releases/verdict.ts';
import { requestsOf } from '../releases/words.ts';
import { allDocuments } from '../support/all-documents.ts';
import { SETTINGS } from '../support/builders.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { emulatedStore } from '../support/emulators.ts';
import { topology } from '../support/pipeline.ts';
import { longTest, sampled } from '../support/thorough.ts';

/** This release on the store that an earlier one left behind. */
async function takeOver(store: Store, recording: Recording): Promise<Play> {
  await loadRecording(store, recording);
  const firstId = 1 + Math.max(...recording.messages.map(({ id }) => Number(id)));
  const play = openPlay(store, recording.moment, (ports) => allServices(pipeline, ports, SETTINGS), {
    firstId,
  });
  // What the accounts of new steps say is loaded before their services run.
  await loadData(
    pipeline,
    store,
    play.ports,
    withFurtherAccounts({ users: {}, inventory: {} }, pipeline, plenty),
  );
  return play;
}

const sweep = async (play: Play) => (await play.ask('POST', '/sweep')).body;
const NOTHING_SWEPT = { announced: 0, failed: 0, errors: 0 };

/** Somebody says what orders wait for, and lets go on what is paused, until none stands still any more. */
async function passWaits(play: Play, courier: Courier, { orders }: Recording): Promise<void> {
  for (;;) {
    const requests = requestsOf(pipeline, ledgersIn(await allDocuments(play.store)), orders);
    if (requests.length === 0) return;
    for (const { path, body } of requests) await play.ask('POST', path, body);
    await courier.deliver();
  }
}

/** Whether an order has come too late for what is to follow, if every stage with a deadline is over by then. */
function isTooLate(ledger: OrderLedger, now: Date): boolean {
  if (ledger.sweepAt === null || ledger.reason !== undefined) return false;
  const waiting = pipeline.waitingIn(ledger.status);
  if (waiting !== undefined)
    return waiting.waits.afterwards === 'give up' && (ledger.waitsUntil?.[waiting.name] ?? now) <= now;
  // A courier may take any time, and what a courier has said counts.
  return !(ledger.status === RESUMED && pipeline.stepsAt(ledger)[0]?.waits?.afterwards === 'show');
}

/** What must become of the orders that this release hears of. */
function endsOf(
  { orders, documents, moment }: Recording,
  { afterSeconds = 1, hearsMessages = true } = {},
): Ends {
  const isLate = afterSeconds > SETTINGS.deadlineSeconds;
  const now = new Date(moment.getTime() + 1000 * afterSeconds);
  return new Map(
    orders
      .filter(({ knownBy }) => hearsMessages || knownBy === 'ledger')
      .map(({ uuid, ends }) => {
        const ledger = documents.get(ledgerPath(uuid)) as OrderLedger | undefined;
        return [uuid, isLate && ledger && isTooLate(ledger, now) ? DEADLINE_EXCEEDED : ends];
      }),
  );
}

/** The orders that had come to rest, and are not canceled: each with its status. */
const restedIn = ({ documents }: Recording): ReadonlyMap<string, string> =>
  new Map(
    ledgersIn(documents).flatMap((ledger) =>
      hasEnded(ledger) && ledger.status !== CANCELED ? [[ledger.uuid, ledger.status] as const] : [],
    ),
  );

/** Redrives every letter that is parked. Returns what became of each of those that were recorded, and of none besides. */
async function redriveAll(play: Play, courier: Courier, letters: readonly RecordedLetter[]) {
  const lettersOf = async (status: string) =>
    (await play.ask('GET', `/dead-letters?status=${status}&limit=100`)).body.letters as {
      id: string;
      redriveOf?: string;
    }[];
  const before = new Set(letters.map(({ id }) => id));
  expect((await lettersOf('parked')).filter(({ id }) => !before.has(id))).to.deep.equal([]);
  const untouched = new Set(
    [...(await lettersOf('redriven')), ...(await lettersOf('discarded'))].map(({ id }) => id),
  );
  const { body } = await play.ask('POST', '/dead-letters/redrive');
  expect([body.failed, body.next_page]).to.deep.equal([[], undefined]);
  const refused = new Set(body.refused.map(({ id }: { id: string }) => id));
  await courier.deliver();
  const again = new Set((await lettersOf('parked')).map(({ redriveOf }) => redriveOf));
  const redriven = new Set((await lettersOf('redriven')).map(({ id }) => id));
  function becameOf(id: string): RecordedLetter['redrive'] | 'does not happen' {
    if (untouched.has(id)) return 'is not asked for';
    if (refused.has(id)) return 'is refused';
    if (again.has(id)) return 'parks it again';
    return redriven.has(id) ? 'does no harm' : 'does not happen';
  }
  return letters.map(({ id, story }) => ({ id, story, redrive: becameOf(id) }));
}

/** Whether the other release had the subscription by which this step hears that its turn has come. */
const wasHeard = (step: Step, { subscriptions }: Recording): boolean =>
  topicsBefore(pipeline, step).every((topic) => subscriptionOf(topology, step.name, topic) in subscriptions);

interface Way {
  /** How often each recorded message comes; 0: all of them were lost. */
  readonly copies: number;
  /** Throws the dice for who comes when, and with whom. */
  readonly seed?: number;
  /** How long after the other release stopped this one begins. */
  readonly afterSeconds?: number;
}

/** Lets this release take over and bring everything to its end, then judges. */
async function bringToTheEnd(store: Store, recording: Recording, { copies, seed, afterSeconds = 1 }: Way) {
  const play = await takeOver(store, recording);
  const courier = createCourier([play], {
    dice: seed === undefined ? undefined : new Dice(`upgrade/${seed}`),
  });
  play.moveOn(afterSeconds);
  for (let copy = 0; copy < copies; copy++) courier.post(recording.messages, recording.subscriptions);
  await courier.deliver();
  const hearsMessages = copies > 0;
  // Where a service reads another subscription by now, what it missed in between comes by the sweep.
  if (!hearsMessages || !pipeline.steps.every((step) => wasHeard(step, recording))) {
    play.moveOn(70);
    await sweep(play);
    await courier.deliver();
  }
  await passWaits(play, courier, recording);
  const rested = restedIn(recording);
  const ends = endsOf(recording, { afterSeconds, hearsMessages });
  expect(await endFaults(play, ends, rested)).to.deep.equal([]);

  const letters = hearsMessages
    ? recording.letters
    : recording.letters.filter(({ id }) => recording.documents.has(`dead-letters/${id}`));
  expect(await redriveAll(play, courier, letters)).to.deep.equal(letters);
  await passWaits(play, courier, recording);
  const onTheDesk = recording.orders.filter(({ knownBy }) => knownBy === 'letter');
  const allEnds = new Map([...ends, ...onTheDesk.map((order) => [order.uuid, order.ends] as const)]);
  expect(await endFaults(play, allEnds, rested)).to.deep.equal([]);

  play.moveOn(24 * 3600);
  expect(await sweep(play)).to.deep.equal(NOTHING_SWEPT);
  courier.post(recording.messages, recording.subscriptions);
  await courier.deliver();
  await passWaits(play, courier, recording);
  // What was lost turns up after all.
  expect(await endFaults(play, new Map([...endsOf(recording), ...allEnds]), rested)).to.deep.equal([]);
}

const SEEDS = Array.from({ length: sampled(5, 2) }, (_, index) => index + 1);

for (const release of recordedReleases()) {
  const recording = readRecording(release);

  describe(`What release ${release} left behind`, function () {
    // Some hundred orders come to their ends in each.
    this.timeout(120_000);

    it('is read, shown, listed and audited as it is, wherever its orders stand', async () => {
      const play = await takeOver(createMemoryStore(), recording);
      expect(await legibilityFaults(play, recording)).to.deep.equal([]);
    });

    it('[anomalies 1, 32] comes to its end when every message comes once more, those that were done and those that were not', () =>
      bringToTheEnd(createMemoryStore(), recording, { copies: 1 }));

    longTest('[anomalies 1, 32] comes to its end when every message comes twice', () =>
      bringToTheEnd(createMemoryStore(), recording, { copies: 2 }),
    );

    for (const seed of SEEDS) {
      longTest(
        `[anomalies 4, 9] comes to its end when all messages come twice, in any order and some together: seed ${seed}`,
        () => bringToTheEnd(createMemoryStore(), recording, { copies: 2, seed }),
      );
    }

    longTest('[anomalies 27, 38, 58] comes to its end by the sweep alone when every message is lost', () =>
      bringToTheEnd(createMemoryStore(), recording, { copies: 0 }),
    );

    longTest('[anomaly 27] comes to its end when its messages come a day later: what stood is too late', () =>
      bringToTheEnd(createMemoryStore(), recording, { copies: 1, afterSeconds: 24 * 3600 }),
    );

    longTest('[anomaly 27] comes to its end when its messages are lost and nobody sweeps for a day', () =>
      bringToTheEnd(createMemoryStore(), recording, { copies: 0, afterSeconds: 24 * 3600 }),
    );

    // One is enough to show that Firestore is no different here, and each takes seconds: the release that is the furthest away.
    if (release !== recordedReleases()[0]) return;
    longTest(
      '[anomalies 4, 27, 32] comes to its end on Firestore, too: by the sweep, and then all messages come again',
      async function () {
        await bringToTheEnd(await emulatedStore(this), recording, { copies: 0, seed: 1 });
      },
    );
  });
}
