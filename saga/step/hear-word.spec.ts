import { expect } from 'chai';
import { z } from 'zod';
import { janitor } from '../../janitor/service.ts';
import { documentsOf, NOW, UUID } from '../../test/support/builders.ts';
import { longTest, sampled } from '../../test/support/thorough.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import type { Fault } from '../../test-kit/simulation/plan.ts';
import { explore, missedGuards, simulate } from '../../test-kit/simulation/simulate.ts';
import type { Subject } from '../../test-kit/simulation/subject.ts';
import type { Documents } from '../commit/documents.ts';
import { messageFor } from '../deliver/message.ts';
import { declareTopology, publishedBy } from '../deliver/topology.ts';
import { fail, type Ledger, receive } from '../ledger/ledger.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import type { Path } from '../ports/store.ts';
import { account, record } from './document.ts';
import { overdueTurn, wordMessageTask, wordTask } from './hear-word.ts';
import { changeOf, holdsOf } from './holds.ts';
import { defineSaga, type OrderKind, type WaitingStep } from './saga.ts';
import { accept, refuse, stepsFor, wait } from './step.ts';
import { refusedTurn, stepTask } from './take-step.ts';
import type { Turn } from './turn.ts';

/** A hall is let: for many chairs the owner is asked first, and in the end a porter says whether the chairs have come back. */

const chairs = account({
  name: 'hall',
  path: 'halls/{hall}',
  balance: 'free',
  whole: 'all',
  fields: { closed: z.literal(true).exactOptional() },
  missing: 'NO_SUCH_HALL',
  closedBecause: ({ closed }) => closed && 'The hall is closed',
  shortage: 'TOO_FEW_CHAIRS',
});
const lettings = record({
  name: 'letting',
  path: 'lettings/{uuid}',
  schema: z.object({ chairs: z.int(), returnedAt: z.date().exactOptional() }),
});
const orderSchema = z.object({ hall: z.string(), chairs: z.int().min(1) });
type Letting = z.infer<typeof orderSchema>;
const letting: OrderKind<Letting> = {
  schema: orderSchema,
  listedBy: [],
  parse(body) {
    const parsed = orderSchema.safeParse(body);
    return parsed.success ? { order: parsed.data } : { faults: [] };
  },
  shows: ({ hall, chairs }: Ledger<Letting>) => ({ hall, chairs }),
};
const step = stepsFor<Letting>();
const count = z.int().min(1);
const DAY_SECONDS = 86_400;

const taken = { taken: count };
const reserve = step({
  name: 'reserve',
  leadsTo: 'RESERVED',
  announces: 'reserved',
  says: 'the chairs are reserved',
  refusals: ['OWNER_SAYS_NO'],
  uses: [chairs],
  learns: taken,
  waits: {
    as: 'ASKED',
    announces: 'asked',
    says: 'the owner is asked',
    learns: { offered: count },
    words: { approve: {}, lessen: { to: count }, decline: {} },
    afterwards: 'give up',
    path: 'lettings/{uuid}',
    heardBy: 'janitor',
    fault: ({ offered }, word) =>
      word.word === 'lessen' && word.to > offered ? `Only ${offered} were asked for` : undefined,
    holds: ({ hall, offered, word }) => [chairs.of(hall).amount(word?.word === 'lessen' ? word.to : offered)],
  },
  reads: ({ hall }) => [chairs.of(hall)],
  decide({ chairs: wanted, offered = wanted, word }) {
    if (word?.word === 'decline') return refuse('OWNER_SAYS_NO', 'The owner has declined');
    if (word === undefined && wanted > 3) return wait(DAY_SECONDS, { offered: wanted });
    return accept({ taken: word?.word === 'lessen' ? word.to : offered });
  },
  holds: ({ hall, taken }) => [chairs.of(hall).amount(taken)],
});

const finish = step({
  name: 'porter',
  leadsTo: 'FINISHED',
  announces: 'finished',
  says: 'the chairs are back',
  refusals: ['CHAIRS_LOST'],
  uses: [lettings],
  needs: taken,
  deadlineSeconds: 60,
  waits: {
    as: 'LET',
    announces: 'let',
    says: 'the chairs are out',
    words: { returned: {}, lost: {} },
    afterwards: 'show',
    path: 'chairs/{uuid}',
    audience: 'operators',
    listensTo: { topic: 'porters', says: 'a porter has seen the chairs' },
    holds: ({ uuid, taken }) => [lettings.of(uuid).holding({ chairs: taken })],
  },
  reads: () => [],
  decide({ word }) {
    if (word === undefined) return wait(14 * DAY_SECONDS, {});
    return word.word === 'lost' ? refuse('CHAIRS_LOST', 'The porter has lost them') : accept({});
  },
  holds: ({ uuid, taken, at }) => [lettings.of(uuid).holding({ chairs: taken, returnedAt: at })],
});

const declared = {
  name: 'lettings',
  order: letting,
  entry: { topic: 'orders', says: 'somebody wants chairs' },
  steps: [reserve, finish],
  resumption: { topic: 'resumed', says: 'the word came' },
  failure: { topic: 'failed', says: 'it failed' },
  end: { topic: 'ended', says: 'it is over' },
  reasons: ['NO'],
  unknownReason: 'NO',
  services: [janitor],
  subscriptions: { 'orders-sub': 'reserve' },
} as const;
const saga = defineSaga(declared);
const [reserving, finishing] = saga.steps as unknown as [WaitingStep, WaitingStep];
/** The same saga, but a silent owner agrees. */
const hastily = () =>
  defineSaga({
    ...declared,
    steps: [{ ...reserve, waits: { ...reserving.waits, afterwards: 'go on' } }, finish] as never,
  });

const hall: Readonly<Record<Path, object>> = { 'halls/north': { free: 100, all: 100 } };
const seconds = (number: number) => new Date(NOW.getTime() + 1000 * number);
const order = (chairs: number): Ledger =>
  deepFreeze(receive(saga, UUID, { hall: 'north', chairs }, 'door', NOW, 900));

const options = { settings: {}, deadlineSeconds: 900, isEntry: false };
const take = (ledger: Ledger, at = seconds(1), of = saga, documents: Documents = documentsOf(hall)): Turn => {
  const [next] = of.stepsAt(ledger);
  if (next === undefined) throw new Error('It is the turn of no step');
  return deepFreeze(stepTask(of, next, { uuid: UUID }, options).take(ledger, documents, at));
};
const ledgerOf = (turn: Turn): Ledger => turn.ledger as Ledger;
const say = (ledger: Ledger | undefined, word: string, carried = {}, at = seconds(2)): Turn => {
  const { waits } = reserving;
  const spoken = { uuid: UUID, word: { ...carried, word }, by: 'janitor' };
  return deepFreeze(
    wordTask(saga, word in waits.words ? reserving : finishing, spoken).take(ledger, documentsOf(hall), at),
  );
};
const asked = ledgerOf(take(order(5)));
const letOut = ledgerOf(take(ledgerOf(take(order(2)))));

describe('A step that waits', () => {
  it('does not, where it has no reason to: the order goes on at once', () => {
    expect(take(order(3)).outcome).to.equal('accepted');
    expect(ledgerOf(take(order(3)))).to.include({ status: 'RESERVED', taken: 3 });
    expect(ledgerOf(take(order(3)))).not.to.have.any.keys('waitsUntil', 'offered', 'heard');
  });

  it('lets the order stand in a status of its own, until a time that is known, and learns what it must', () => {
    const turn = take(order(5));
    expect(turn.outcome).to.equal('waiting');
    const { status, waitsUntil, sweepAt, offered } = ledgerOf(turn) as Ledger & { offered?: number };
    expect({ status, waitsUntil, sweepAt, offered }).to.deep.equal({
      status: 'ASKED',
      offered: 5,
      waitsUntil: { reserve: seconds(1 + DAY_SECONDS) },
      sweepAt: seconds(1 + DAY_SECONDS),
    });
    expect(readLedger(saga, UUID, asked)).to.have.property('ledger');
  });

  it('is a surprise where it learns something else before the wait than it said', () => {
    const vague = defineSaga({
      ...declared,
      steps: [{ ...reserving, decide: () => wait(DAY_SECONDS, { offered: 'all of them' }) }, finish] as never,
    });
    expect(() => take(order(5), seconds(1), vague as typeof saga)).to.throw('offered');
  });

  it('holds what it says for a wait', () => {
    expect(changeOf(saga, order(5), asked, documentsOf(hall))).to.deep.equal({
      writes: [{ kind: 'update', path: 'halls/north', fields: { free: 95 } }],
    });
  });

  it('goes on after a word, although the document by which it was taken is closed since', () => {
    const closed = documentsOf({ 'halls/north': { free: 95, all: 100, closed: true } });
    expect(take(order(5), seconds(1), saga, closed)).to.deep.include({
      outcome: 'refused',
      detail: 'NO_SUCH_HALL: The hall is closed',
    });
    const heard = ledgerOf(say(asked, 'approve'));
    expect(ledgerOf(take(heard, seconds(3), saga, closed))).to.include({ status: 'RESERVED', taken: 5 });
  });

  it('has no turn as long as it waits: its message does nothing', () => {
    expect(saga.stepsAt(asked)).to.deep.equal([]);
    const turn = stepTask(saga, reserving, { uuid: UUID }, options).take(
      asked,
      documentsOf(hall),
      seconds(2),
    );
    expect(turn).to.deep.equal({ outcome: 'duplicate', ledger: asked });
  });

  it('announces the wait, and that the order goes on, on topics of their own', () => {
    const { subscriptions, topics } = declareTopology(saga);
    expect(messageFor(saga, asked).topic).to.equal('asked');
    expect(messageFor(saga, ledgerOf(say(asked, 'approve'))).topic).to.equal('resumed');
    expect(Object.keys(topics)).to.include.members(['asked', 'let', 'resumed', 'porters']);
    expect(subscriptions).to.deep.include({
      'asked-sub': { topic: 'asked', policy: 'people' },
      'resumed-reserve-sub': { topic: 'resumed', policy: 'service', service: 'reserve' },
      'resumed-porter-sub': { topic: 'resumed', policy: 'service', service: 'porter' },
      'porters-porter-sub': { topic: 'porters', policy: 'service', service: 'porter' },
    });
    expect(publishedBy(saga, 'porter')).to.include.members(['let', 'finished', 'resumed', 'failed']);
  });

  it('uses no event id twice, also where an order goes on twice', () => {
    const once = ledgerOf(say(asked, 'approve'));
    const twice = ledgerOf(
      say(ledgerOf(take(ledgerOf(take(once, seconds(3))), seconds(4))), 'returned', {}, seconds(5)),
    );
    expect([once, twice].map((ledger) => messageFor(saga, ledger).attributes['ce-id'])).to.deep.equal([
      `${UUID}/resumed`,
      `${UUID}/resumed/2`,
    ]);
  });
});

describe('A word', () => {
  it('is recorded, and then the step decides again', () => {
    const turn = say(asked, 'approve');
    expect(turn.outcome).to.equal('resumed');
    expect(ledgerOf(turn)).to.deep.include({ status: 'RESUMED', heard: { reserve: { word: 'approve' } } });
    expect(ledgerOf(turn).history.at(-1)).to.match(/ RESUMED janitor$/);
    expect(readLedger(saga, UUID, ledgerOf(turn))).to.have.property('ledger');
    expect(ledgerOf(take(ledgerOf(turn), seconds(3)))).to.include({ status: 'RESERVED', taken: 5 });
  });

  it('that lessens gives the difference back in its own commit', () => {
    const lessened = ledgerOf(say(asked, 'lessen', { to: 2 }));
    expect(
      changeOf(saga, asked, lessened, documentsOf({ 'halls/north': { free: 95, all: 100 } })),
    ).to.deep.equal({
      writes: [{ kind: 'update', path: 'halls/north', fields: { free: 98 } }],
    });
    const reserved = ledgerOf(take(lessened, seconds(3)));
    expect(reserved).to.include({ status: 'RESERVED', taken: 2, chairs: 5 });
    expect(changeOf(saga, lessened, reserved, documentsOf(hall))).to.deep.equal({ writes: [] });
  });

  it('that declines makes the order fail, and all of it goes back', () => {
    const declined = ledgerOf(take(ledgerOf(say(asked, 'decline')), seconds(3)));
    expect(declined).to.include({ status: 'FAILING', reason: 'OWNER_SAYS_NO' });
    expect(holdsOf(saga, declined)).to.deep.equal(holdsOf(saga, asked));
  });

  it('in the service of the step itself is decided upon at once, in one commit', () => {
    const spoken = { uuid: UUID, word: { word: 'returned' }, by: 'porter', settings: {} };
    const turn = wordTask(saga, finishing, spoken).take(letOut, documentsOf(hall), seconds(9));
    expect(turn.outcome).to.equal('accepted');
    expect(ledgerOf(turn).status).to.equal('FINISHED');
    expect(
      ledgerOf(turn)
        .history.slice(-2)
        .map((line) => line.split(' ').slice(1)),
    ).to.deep.equal([
      ['RESUMED', 'porter'],
      ['FINISHED', 'porter'],
    ]);
    expect(
      changeOf(saga, letOut, ledgerOf(turn), documentsOf({ ...hall, [`lettings/${UUID}`]: { chairs: 2 } })),
    ).to.deep.equal({
      writes: [{ kind: 'update', path: `lettings/${UUID}`, fields: { chairs: 2, returnedAt: seconds(9) } }],
    });
  });

  it('[anomaly 46] that comes before the order waits changes nothing', () => {
    expect(say(order(5), 'approve')).to.deep.equal({
      outcome: 'unheeded',
      ledger: order(5),
      detail: 'The order is RECEIVED: it does not wait for approve',
    });
  });

  it('that comes twice is heard once', () => {
    const heard = ledgerOf(say(asked, 'lessen', { to: 2 }));
    expect(say(heard, 'lessen', { to: 2 })).to.deep.equal({ outcome: 'duplicate', ledger: heard });
    const reserved = ledgerOf(take(heard, seconds(3)));
    expect(say(reserved, 'lessen', { to: 2 })).to.deep.equal({ outcome: 'duplicate', ledger: reserved });
  });

  it('[anomaly 47] that contradicts the one before it changes nothing', () => {
    const heard = ledgerOf(say(asked, 'approve'));
    for (const [word, carried] of [['decline'], ['lessen', { to: 2 }]] as const) {
      expect(say(heard, word, carried)).to.deep.equal({
        outcome: 'unheeded',
        ledger: heard,
        detail: 'The order has heard approve before',
      });
    }
  });

  it('[anomaly 48] that comes after the deadline has decided changes nothing', () => {
    const failed = ledgerOf(overdueTurn(saga, asked, 'janitor', seconds(1 + DAY_SECONDS)));
    expect(failed).to.include({ status: 'FAILING', reason: 'DEADLINE_EXCEEDED' });
    const turn = say(failed, 'approve', {}, seconds(2 + DAY_SECONDS));
    expect(turn).to.deep.equal({
      outcome: 'unheeded',
      ledger: failed,
      detail: 'The order is FAILING: DEADLINE_EXCEEDED',
    });
  });

  it('[anomaly 48] that comes after the deadline, but before any sweep, finds that the clock has spoken', () => {
    const late = seconds(1 + DAY_SECONDS);
    const spoken = { uuid: UUID, word: { word: 'approve' }, by: 'janitor' };
    const failed = overdueTurn(saga, asked, 'janitor', late);
    expect(failed.detail).to.match(/^DEADLINE_EXCEEDED: The order waited as ASKED until /);
    expect(wordTask(saga, reserving, spoken).take(asked, documentsOf(hall), late)).to.deep.equal({
      ...failed,
      outcome: 'unheeded',
    });
    const hasty = hastily();
    const { ledger } = overdueTurn(hasty, asked, 'janitor', late);
    const [agreeing] = hasty.steps as unknown as [WaitingStep];
    expect(wordTask(hasty, agreeing, spoken).take(asked, documentsOf(hall), late)).to.deep.equal({
      outcome: 'unheeded',
      ledger,
      detail: 'The word came too late',
    });
  });

  it('fetches what may change by it, and what the step reads where its own service decides at once', () => {
    const reads = (step: WaitingStep, ledger: Ledger | undefined, settings?: object) =>
      wordTask(saga, step, {
        uuid: UUID,
        word: { word: 'any' },
        by: 'door',
        ...(settings && { settings }),
      }).reads?.(ledger, documentsOf({}));
    expect(reads(reserving, asked)).to.deep.equal(['halls/north']);
    expect(reads(reserving, asked, {})).to.deep.equal(['halls/north', 'halls/north']);
    expect(reads(finishing, letOut)).to.deep.equal(['halls/north', `lettings/${UUID}`]);
    for (const ledger of [undefined, order(5), letOut]) expect(reads(reserving, ledger)).to.deep.equal([]);
    // So does the step that decides on it later.
    const resumed = ledgerOf(say(letOut, 'returned'));
    const deciding = stepTask(saga, finishing, { uuid: UUID }, options);
    expect(deciding.reads?.(resumed, documentsOf({}))).to.deep.equal(['halls/north', `lettings/${UUID}`]);
  });

  it('finds a canceled order canceled', () => {
    const canceled = fail(saga, asked, { by: 'door', reason: 'NO', detail: 'No', now: seconds(2) });
    expect(say(canceled, 'approve')).to.deep.equal({
      outcome: 'unheeded',
      ledger: canceled,
      detail: 'The order is FAILING: NO',
    });
  });

  it('for an order that nobody knows changes nothing', () => {
    expect(say(undefined, 'approve')).to.deep.equal({
      outcome: 'ignored',
      detail: 'No order has the uuid of the word',
    });
  });

  it('that the order can not heed changes nothing, and says why', () => {
    const unheeded = (word: string, carried = {}) => say(asked, word, carried).detail;
    expect(unheeded('lessen', { to: 9 })).to.equal('Only 5 were asked for');
    expect(unheeded('lessen', { to: 0 })).to.match(/^to: Too small/);
    expect(unheeded('lessen')).to.equal('to is missing');
    expect(unheeded('approve', { loudly: true })).to.equal('loudly is unknown');
  });

  it('of a message that says none, or one that can not be heeded, is parked, so that people see it', () => {
    const parked = (word: object | undefined, ledger: Ledger | undefined = letOut) =>
      wordMessageTask(saga, finishing, { uuid: UUID, word: word as never }, {}).take(
        ledger,
        documentsOf(hall),
        seconds(9),
      );
    expect(parked(undefined)).to.deep.equal({
      outcome: 'parked',
      detail: 'The message has no outcome: it must be one of returned, lost',
    });
    expect(parked({ word: 'eaten' })).to.deep.include({
      outcome: 'parked',
      detail: 'eaten is none of returned, lost',
    });
    // Every object has this one.
    expect(parked({ word: 'constructor' })).to.deep.include({
      detail: 'constructor is none of returned, lost',
    });
    expect(parked({ word: 'z'.repeat(200) })).to.deep.include({
      detail: `${'z'.repeat(128)} is none of returned, lost`,
    });
    expect(parked({ word: 'lost', by: 'jim' })).to.deep.include({
      outcome: 'parked',
      detail: 'by is unknown',
    });
    expect(parked({ word: 'returned' }, asked).outcome).to.equal('parked');
    expect(parked({ word: 'returned' }).outcome).to.equal('accepted');
    const unknown = wordMessageTask(saga, finishing, { uuid: UUID, word: { word: 'lost' } }, {});
    expect(unknown.take(undefined, documentsOf(hall), NOW).outcome).to.equal('parked');
  });
});

describe('The end of a wait', () => {
  it('makes the order fail, go on without a word, or be shown to people, as the step says', () => {
    const late = seconds(1 + DAY_SECONDS);
    const hasty = hastily();
    expect(ledgerOf(overdueTurn(saga, asked, 'janitor', late)).detail).to.equal(
      `The order waited as ASKED until ${late.toISOString()}, and no word came`,
    );
    const gone = ledgerOf(overdueTurn(hasty, asked, 'janitor', late));
    expect(gone).to.deep.include({ status: 'RESUMED', heard: { reserve: { word: 'silence' } } });
    expect(readLedger(hasty, UUID, gone)).to.have.property('ledger');
    expect(ledgerOf(take(gone, late, hasty))).to.include({ status: 'RESERVED', taken: 5 });
  });

  it('fails an order that waits for nothing like any overdue one', () => {
    const turn = overdueTurn(saga, order(2), 'janitor', seconds(900));
    expect(turn).to.deep.equal(
      refusedTurn(saga, order(2), {
        ...{ by: 'janitor', reason: 'DEADLINE_EXCEEDED', now: seconds(900) },
        detail: 'The order stood as RECEIVED for more than 900 s',
      }),
    );
  });
});

describe('A ledger with a wait', () => {
  const resumed = ledgerOf(say(asked, 'approve'));

  it('is believed only with a word that its step knows', () => {
    // The clock says nothing to a step that gives up in time.
    for (const word of ['sing', 'silence']) {
      expect(readLedger(saga, UUID, { ...resumed, heard: { reserve: { word } } })).to.deep.equal({
        faults: [`the word that reserve has heard: ${word} is none of approve, lessen, decline`],
      });
    }
    const hasty = hastily();
    const sung = { ...resumed, heard: { reserve: { word: 'sing' } } };
    expect(readLedger(hasty, UUID, sung)).to.deep.equal({
      faults: ['the word that reserve has heard: sing is none of approve, lessen, decline'],
    });
  });

  it('may not know what only a wait learns, if there was none', () => {
    expect(readLedger(saga, UUID, { ...ledgerOf(take(order(2))), offered: 2 })).to.deep.equal({
      faults: ['it knows offered, although reserve did not wait'],
    });
  });
});

describe('A declaration of a wait', () => {
  const fault = (fields: object) => {
    try {
      defineSaga({ ...declared, ...fields } as never);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  const wrong = (waits: object) =>
    fault({ steps: [{ ...reserve, waits: { ...reserving.waits, ...waits } }, finish] });

  it('may name who reads the topics by which its step goes on', () => {
    const subscriptions = { 'orders-sub': 'reserve', 'resumed-sub': 'reserve', 'porters-sub': 'porter' };
    expect(fault({ subscriptions })).to.equal(undefined);
  });

  it('that contradicts itself is refused at the start', () => {
    expect(fault({ resumption: undefined })).to.contain('give it a resumption');
    expect(wrong({ heardBy: 'nobody' })).to.contain('reserve is heard by nobody, which is no service');
    expect(wrong({ words: { 'Go On': z.object({}) } })).to.contain("the word Go On of reserve can't be said");
    expect(wrong({ words: { silence: z.object({}) } })).to.contain(
      "the word silence of reserve can't be said",
    );
    expect(wrong({ words: { go: z.object({ uuid: z.string() }) } })).to.contain(
      "the word go of reserve can't carry uuid",
    );
    expect(wrong({ as: 'FINISHED' })).to.contain('the status FINISHED is there twice');
    expect(wrong({ as: 'RESUMED' })).to.contain('the status RESUMED is there twice');
    expect(wrong({ announces: 'porters' })).to.contain('the topic porters is there twice');
    expect(wrong({ learns: z.object({ taken: count }) })).to.contain(
      'reserve learns taken, which is known before',
    );
  });
});

describe('A saga with waits', function () {
  this.timeout(120_000);
  const subject = (one: typeof saga): Subject => ({
    saga: one,
    data: (dice) => ({ halls: { north: { free: dice.whole(0, 20) }, south: { free: 8 } } }),
    anOrder: (dice) => ({ hall: dice.oneOf(['north', 'north', 'south', 'west']), chairs: dice.whole(1, 8) }),
    aWord(step, _order, chance) {
      if (step.name !== 'reserve') return undefined;
      const word = ['approve', 'lessen', 'decline'][Math.floor(chance() * 3)] ?? 'approve';
      return word === 'lessen' ? { word, to: 1 + Math.floor(chance() * 6) } : { word };
    },
  });

  it('[anomalies 46, 47, 48] keeps the promise in simulated worlds, whichever word comes when', async () => {
    for (const one of [saga, hastily()]) {
      const { failure } = await simulate(subject(one), { seeds: sampled(75, 15) });
      expect(failure?.report.split('\n').slice(0, 200) ?? []).to.deep.equal([]);
    }
  });

  it('would not if the kernel lacked any of its guards', async () => {
    expect(await missedGuards(subject(saga))).to.deep.equal([]);
  });

  longTest(
    '[anomalies 46, 47] keeps it in every way that two words can go, or a word and a cancellation',
    async () => {
      const said = (word: string): Fault => ({
        kind: 'word',
        order: 'o0',
        step: 'reserve',
        word: { word },
        isPublished: false,
        atMs: 0,
      });
      const canceled: Fault = { kind: 'cancel', order: 'o0', atMs: 0 };
      for (const faults of [
        [said('approve'), said('decline')],
        [said('approve'), canceled],
      ]) {
        const world = {
          orders: [{ hall: 'south', chairs: 5 }],
          data: { halls: { south: { free: 5 } } },
          faults,
        };
        const { fault, isPartial } = await explore(subject(saga), world, { statesMax: 8_000 });
        expect([fault?.sentence, ...(fault?.trace ?? [])].filter(Boolean)).to.deep.equal([]);
        expect(isPartial).to.equal(false);
      }
    },
  );
});
