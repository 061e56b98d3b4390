import { expect } from 'chai';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { loadData } from '../../data-init/load-data.ts';
import { reserveStock } from '../../inventory/reserve-stock.ts';
import { executeRepair, planRepair } from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { createOrder } from '../../order/create-order.ts';
import { chargeCustomer } from '../../payments/charge-customer.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { transitionsOf } from '../../saga/ledger/history.ts';
import { CANCELED, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type Path, readOne } from '../../saga/ports/store.ts';
import { defineSaga, type LedgerOf, type Saga } from '../../saga/step/saga.ts';
import { accept } from '../../saga/step/step.ts';
import { step } from '../../shop/step.ts';
import { stock } from '../../shop/stock.ts';
import { Dice } from '../../test-kit/simulation/chance.ts';
import { allDocuments } from '../support/all-documents.ts';
import { SETTINGS } from '../support/builders.ts';
import { sampled } from '../support/thorough.ts';
import { narrowPipeline, widerPipeline } from './packing.ts';
import { openPlay, type Play, type PublishedMessage, subscriptionsOf } from './play.ts';
import type { Recording } from './recording.ts';
import { ROLLOUTS, rollOut } from './rollouts.ts';
import { record } from './stories.ts';
import { bookFaults, ledgersIn, loadRecording } from './verdict.ts';

/**
 * The trial of a step that is put between two others in production: the programs that know it and those that don't work side
 * by side, on one store, with the subscriptions of both, while orders are in flight. How they are judged is written down by
 * hand: who asks the definitions what an order holds would believe their mistakes.
 */

type WiderLedger = LedgerOf<typeof widerPipeline>;

/** There are too few large ones. */
const BOXES = { small: { left: 1000 }, large: { left: 12 } };
const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

/** What only the new programs know, in the words of the old ones. */
const UNKNOWN_STEP = String.raw`its history goes from RESERVED to PACKED(; its history goes from PACKED to \w+)?`;
const UNKNOWN = new RegExp(
  `^(MalformedLedger: )?The ledger of order \\S+ can't be right: (${UNKNOWN_STEP}|its reason OUT_OF_BOXES is none)$`,
);

/** What the release before left behind, which has three steps. */
let left: Recording;
before(async () => {
  left = await record('before', { saga: narrowPipeline });
});

/** The programs of both releases on one store. */
async function openBoth(
  recording: Pick<Recording, 'documents' | 'moment'> = left,
  wider: Saga = widerPipeline,
) {
  const store = createMemoryStore();
  await loadRecording(store, recording as Recording);
  const surprises = { old: [] as string[], new: [] as string[] };
  const open = (side: keyof typeof surprises, saga: Saga, firstId: number) =>
    openPlay(
      store,
      recording.moment,
      (ports) => {
        const log: Ports['log'] = (severity, _message, fields) => {
          if (severity === 'ERROR') surprises[side].push(String(fields?.error));
        };
        return allServices(saga, { ...ports, log }, SETTINGS);
      },
      { subscriptions: subscriptionsOf(saga), firstId },
    );
  const ours = open('new', wider, 10_000);
  const theirs = open('old', narrowPipeline, 20_000);
  await loadData(widerPipeline, store, ours.ports, { boxes: BOXES });
  const documents = () => allDocuments(store, widerPipeline);
  return {
    store,
    ours,
    theirs,
    surprises,
    documents,
    ledgers: async () => ledgersIn(await documents()) as readonly WiderLedger[],
    ledgerOf: async (uuid: string) => (await readOne(store, ledgerPath(uuid))) as WiderLedger | undefined,
  };
}

type Both = Awaited<ReturnType<typeof openBoth>>;

/** Every way to an end, apart from pauses: with the new step and without it, and with a wait or without. */
const WAYS =
  /^RECEIVED (CREATED (WAITING RESUMED )?RESERVED (PACKED )?PAID|(CREATED (WAITING (RESUMED )?|(WAITING RESUMED )?RESERVED (PACKED )?(PAID )?)?)?FAILING CANCELED)$/;

const wayOf = (ledger: WiderLedger): string =>
  transitionsOf(ledger)
    .map(({ status }) => status)
    .join(' ')
    // From a pause an order goes back to where it stood, or fails.
    .replaceAll(/\b(\w+) PAUSED(?: \1\b|(?= FAILING))/g, '$1');

/** What is wrong once the new programs are alone, as sentences. */
async function faultsOf({ ours, documents, ledgers }: Both): Promise<string[]> {
  const found = await documents();
  const orders = await ledgers();
  const faults: string[] = [];
  const used: Record<string, number> = { small: 0, large: 0 };
  for (const ledger of orders) {
    const { uuid, status, box, packed } = ledger;
    const way = wayOf(ledger);
    if (!WAYS.test(way) || !way.endsWith(status)) faults.push(`Order ${uuid} is ${status} and went ${way}`);
    const wasPacked = way.includes('PACKED');
    if (wasPacked !== (box !== undefined && packed !== undefined))
      faults.push(`Order ${uuid} went ${way} and knows of its box: ${box}, ${packed?.units}`);
    const slip = found.get(`packing/${uuid}`) as { box: string; units: number } | undefined;
    const holdsBox = wasPacked && status !== CANCELED;
    const isRight = holdsBox ? slip?.box === box && slip?.units === packed?.units : slip === undefined;
    if (!isRight) faults.push(`Order ${uuid} went ${way} and has the slip ${JSON.stringify(slip)}`);
    if (holdsBox && box !== undefined) used[box] = (used[box] ?? 0) + 1;
  }
  for (const [size, count] of Object.entries(used)) {
    const { left, bought } = found.get(`boxes/${size}`) as { left: number; bought: number };
    if (left < 0 || left + count !== bought)
      faults.push(`Of ${bought} ${size} boxes, ${left} are left and ${count} used`);
  }
  faults.push(...bookFaults(found, orders));
  const { violations, stuck } = (await ours.ask('GET', '/audit')).body;
  faults.push(...[...violations, ...stuck].map(({ sentence }: { sentence: string }) => sentence));
  return faults;
}

describe('A step that is put between two others while orders are in flight', () => {
  const all = Object.entries(ROLLOUTS);
  for (const [name, rollout] of all.slice(0, sampled(all.length, 1))) {
    it(`[anomaly 52] lets every order come to its one end, whichever programs it meets, and nothing is held twice or kept: ${name}`, async function () {
      this.timeout(120_000);
      const ways = new Map<string, number>();
      let surpriseCount = 0;
      for (const seed of SEEDS) {
        const both = await openBoth();
        const { ours, theirs, surprises, ledgers } = both;
        const dice = new Dice(`step between/${name}/${seed}`);
        await rollOut(rollout, {
          recording: left,
          ours,
          theirs,
          subscriptions: { ...subscriptionsOf(narrowPipeline), ...subscriptionsOf(widerPipeline) },
          dice,
          saga: widerPipeline,
          ledgers,
          // Both doctors mend what they hold for wrong.
          async onPhase() {
            for (const [saga, play] of [[narrowPipeline, theirs] as const, [widerPipeline, ours] as const]) {
              const { actions } = planRepair(await takeAudit(saga, play.ports));
              if (dice.often(0.5)) await executeRepair(saga, actions, play.ports);
            }
          },
        });
        const context = `seed ${seed}`;
        expect(await faultsOf(both), context).to.deep.equal([]);
        // A service that doesn't know the new step leaves its ledgers to one that does.
        expect(
          surprises.old.filter((sentence) => !UNKNOWN.test(sentence)),
          context,
        ).to.deep.equal([]);
        expect(surprises.new, context).to.deep.equal([]);
        surpriseCount += surprises.old.length;
        for (const ledger of await ledgers()) {
          const way = wayOf(ledger);
          ways.set(way, (ways.get(way) ?? 0) + 1);
        }
      }
      const isMixed = rollout.length > 0;
      expect([...ways.keys()]).to.include.members([
        'RECEIVED CREATED RESERVED PAID',
        'RECEIVED CREATED RESERVED PACKED PAID',
        'RECEIVED CREATED WAITING RESUMED RESERVED PAID',
        'RECEIVED CREATED WAITING RESUMED RESERVED PACKED PAID',
        'RECEIVED CREATED RESERVED FAILING CANCELED',
        'RECEIVED CREATED RESERVED PACKED FAILING CANCELED',
        ...(isMixed ? ['RECEIVED CREATED RESERVED PACKED PAID FAILING CANCELED'] : []),
      ]);
      expect(surpriseCount > 0, 'old programs met orders that they do not understand').to.equal(isMixed);
    });
  }

  /** An order of two widgets in a world without others, and the means to bring it on, by old programs or by new ones. */
  async function anOrderInBothWorlds(wider?: Saga) {
    const documents = new Map<Path, object>([
      ['users/joe', { address: '3 Mill Lane', credit: 100, credit_limit: 100 }],
      ['inventory/widget', { quantity: 10, loaded: 10, price_per_unit: 5 }],
      ['inventory/carton', { quantity: 10, loaded: 10, price_per_unit: 1 }],
    ]);
    const both = await openBoth({ moment: left.moment, documents }, wider);
    const { ours, theirs } = both;
    const order = { user: 'joe', item: 'widget', quantity: 2 };
    const { uuid } = (await ours.ask('POST', '/order', order)).body;
    /** The newest message on a topic, whoever has published it. */
    const messageOn = (topic: string) =>
      [...ours.messages, ...theirs.messages].findLast(
        (message) => message.topic === topic,
      ) as PublishedMessage;
    /** Lets those programs take it that read the topic. Returns what they answered. */
    const bring = (play: Play, topic: string) => play.deliver(play.parcelsOf(messageOn(topic)));
    const bringAll = async (play: Play, topics: readonly string[]) => {
      for (const topic of topics)
        expect(new Set(await bring(play, topic)), topic).to.deep.equal(new Set(['acked']));
    };
    const way = async () => wayOf((await both.ledgerOf(uuid)) as WiderLedger);
    return { ...both, uuid, bring, bringAll, way };
  }

  it('[anomaly 52] is handed back by old programs untouched, whatever they are told of an order that has it', async () => {
    const both = await anOrderInBothWorlds();
    const { ours, theirs, uuid, documents, bring, bringAll, way } = both;
    await bringAll(ours, ['frontend', 'order-created', 'inventory-updated']);
    expect(await way()).to.equal('RECEIVED CREATED RESERVED PACKED');
    const packed = await documents();

    // The same message is in the subscription of the old payments.
    expect(await bring(theirs, 'inventory-updated')).to.deep.equal(['nacked']);
    expect((await theirs.ask('GET', `/order/${uuid}`)).status).to.equal(500);
    expect((await theirs.ask('POST', `/order/${uuid}/cancel`)).status).to.equal(500);
    expect((await theirs.ask('GET', '/orders')).body.orders).to.deep.equal([]);
    theirs.moveOn(3600);
    expect((await theirs.ask('POST', '/sweep')).body).to.deep.equal({ announced: 0, failed: 0, errors: 1 });
    const { actions, forPeople } = planRepair(await takeAudit(narrowPipeline, theirs.ports));
    expect([actions, forPeople.length > 0]).to.deep.equal([[], true]);
    expect(await documents()).to.deep.equal(packed);

    await ours.ask('POST', `/order/${uuid}/cancel`);
    const failing = await documents();
    expect(await bring(theirs, 'error')).to.deep.equal(['nacked']);
    expect(await documents()).to.deep.equal(failing);
    expect(await bring(ours, 'error')).to.deep.equal(['acked']);
    expect(await way()).to.equal('RECEIVED CREATED RESERVED PACKED FAILING CANCELED');
    expect(await faultsOf(both)).to.deep.equal([]);
  });

  it('[anomaly 52] is left out for good by an order that an old program has brought past it', async () => {
    const both = await anOrderInBothWorlds();
    const { ours, theirs, uuid, bring, bringAll, way } = both;
    await bringAll(ours, ['frontend', 'order-created']);
    await bringAll(theirs, ['inventory-updated']);
    const paid = 'RECEIVED CREATED RESERVED PAID';
    expect(await way()).to.equal(paid);
    // The new step, and payments, which keep their old subscription.
    expect(await bring(ours, 'inventory-updated')).to.deep.equal(['acked', 'acked']);
    expect(await way()).to.equal(paid);
    expect((await ours.ask('GET', `/order/${uuid}`)).body.status).to.equal('PAID');
    expect(await faultsOf(both)).to.deep.equal([]);
    await ours.ask('POST', `/order/${uuid}/cancel`);
    await bringAll(ours, ['error']);
    expect(await way()).to.equal(`${paid} FAILING CANCELED`);
    expect(await faultsOf(both)).to.deep.equal([]);
  });

  it('[anomaly 52] is not mended away by the doctor of the old programs, even where the ledger does not name what it takes', async () => {
    const packInCarton = step({
      name: 'packing',
      leadsTo: 'PACKED',
      announces: 'order-packed',
      says: 'the order is in its carton',
      uses: [stock],
      reads: () => [stock.of('carton')],
      decide: () => accept({}),
      holds: () => [stock.of('carton').amount(1)],
    });
    const steps = [createOrder, reserveStock, packInCarton, chargeCustomer] as const;
    const { ours, theirs, bringAll } = await anOrderInBothWorlds(defineSaga({ ...narrowPipeline, steps }));
    await bringAll(ours, ['frontend', 'order-created', 'inventory-updated']);
    const { actions } = planRepair(await takeAudit(narrowPipeline, theirs.ports));
    expect(actions.map(({ sentence }) => sentence)).to.deep.equal([]);
  });

  for (const first of ['old', 'new'] as const) {
    it(`[anomaly 52] goes one way where an old and a new program take an order up at the same moment, the ${first} one first`, async () => {
      const both = await anOrderInBothWorlds();
      const { ours, theirs, uuid, bring, bringAll, way } = both;
      await bringAll(ours, ['frontend', 'order-created']);
      const plays = first === 'old' ? [theirs, ours] : [ours, theirs];
      const outcomes = await Promise.all(plays.map((play) => bring(play, 'inventory-updated')));
      // Whoever comes second finds what the first has done: the new one knows it, the old one does not.
      expect(outcomes.flat()).to.deep.equal(['acked', 'acked', first === 'old' ? 'acked' : 'nacked']);
      if (first === 'new') await bringAll(ours, ['order-packed']);
      const steps = first === 'old' ? 'PAID' : 'PACKED PAID';
      expect(await way()).to.equal(`RECEIVED CREATED RESERVED ${steps}`);
      expect(await faultsOf(both)).to.deep.equal([]);
      expect((await ours.ask('GET', `/order/${uuid}`)).body.status).to.equal('PAID');
    });
  }
});
