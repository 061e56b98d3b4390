import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { z } from 'zod';
import { type OrderLedger, pipeline, type Status } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { hasEnded } from '../../saga/ledger/deadline.ts';
import { statusIn } from '../../saga/ledger/history.ts';
import { fail, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import { holdsOf, isAmount } from '../../saga/step/holds.ts';
import {
  aLedgerThatIs,
  anOrder,
  LATER,
  LOWER_A_THRESHOLD,
  NOW,
  PRICE,
  UUID,
  uuidOf,
} from '../support/builders.ts';
import { falsified } from '../support/falsified.ts';
import { sampleOf } from '../support/sample.ts';
import type { Loaded, PlannedOrder } from './orders.ts';
import {
  ACCOUNTS as BOOKED,
  differences,
  type Expectation,
  judge,
  WAY as TOLD,
  unannounced,
} from './verdict.ts';
import type { World } from './world.ts';

const SUCCESS = pipeline.success;
const END = pipeline.topicOf(SUCCESS);
const SUCCESSFUL = aLedgerThatIs(SUCCESS);
/** All the way to success. */
const WAY = SUCCESSFUL.history.map(statusIn).join(' ');
const HOLDS = holdsOf(pipeline, SUCCESSFUL);
const OWN: Loaded = {
  // A step that looks at jack finds the samples of the builders.
  users: { jack: { address: 'sample' }, joe: { address: '3 Mill Lane', credit: 100 } },
  inventory: { widget: { quantity: 10, price_per_unit: PRICE } },
};
/** Of every other account that the order takes from, ten times as much, and all else as the builders of ledgers suppose. */
const FURTHER = HOLDS.filter(isAmount)
  .filter(({ path }) => !((path.split('/')[0] ?? '') in OWN))
  .map(({ path, account, amount }) => {
    const { [account.whole ?? '']: _, ...sample } = sampleOf(account.schema) as Record<string, unknown>;
    return { path, account, amount, loaded: { ...sample, [account.balance]: 10 * amount } };
  });
/** A counter counts what orders were given; none is loaded. */
const isCounter = ({ account }: (typeof FURTHER)[number]) => account.whole === undefined;
const LOADED: Loaded = {
  ...OWN,
  ...Object.fromEntries(
    FURTHER.filter((one) => !isCounter(one))
      .map(({ path }) => path.split('/')[0] ?? '')
      .map((section) => [
        section,
        Object.fromEntries(
          FURTHER.flatMap(({ path, loaded }) =>
            path.startsWith(`${section}/`) ? [[path.split('/')[1], loaded]] : [],
          ),
        ),
      ]),
  ),
};
const further = (times: number) =>
  FURTHER.map((one): [Path, object] => {
    const { path, account, amount, loaded } = one;
    return isCounter(one)
      ? [path, { [account.balance]: (times - 10) * amount }]
      : [path, { ...loaded, [account.balance]: times * amount, [account.whole ?? '']: 10 * amount }];
  });
const RECORD = `users/jack/orders/${UUID}`;
const INVOICE = `payments/${UUID}`;
const NOW_TEXT = NOW.toISOString();
const INVOICED = { user: 'jack', total_invoice: 2 * PRICE, delivery_cost: 0, charged: 0, createdAt: NOW };
const INVOICED_TEXT = JSON.stringify(INVOICED);
const JOE = { address: '3 Mill Lane', credit: 100, credit_limit: 100 };
/** So many widgets are left of ten. */
const widgets = (quantity: number): Readonly<Record<Path, object>> => ({
  'inventory/widget': { quantity, loaded: 10, price_per_unit: PRICE },
});
/** Every account, where nothing was sold. */
const ACCOUNTS: Readonly<Record<Path, object>> = {
  'users/jack': { address: 'sample' },
  'users/joe': JOE,
  ...widgets(10),
  ...Object.fromEntries(further(10)),
};

/** The documents of an order, where it holds what all its steps say, and what of the accounts is left. */
const SOLD: Readonly<Record<Path, object>> = {
  ...ACCOUNTS,
  ...widgets(8),
  ...Object.fromEntries(further(9)),
  ...Object.fromEntries(HOLDS.flatMap((hold) => (isAmount(hold) ? [] : [[hold.path, hold.fields]]))),
};

/** Jack's order of two widgets is paid, and all books balance, except for what else these documents say; undefined: gone. */
const aWorld = (documents: Readonly<Record<Path, object | undefined>> = {}, ledger = SUCCESSFUL): World => ({
  ledgers: new Map([[ledgerPath(ledger.uuid), ledger]]),
  deadLetters: new Map(),
  documents: documentsIn({ ...SOLD, ...documents }),
});
/** Nothing was sold. */
const untouched = (ledger: OrderLedger, documents: Readonly<Record<Path, object>> = {}): World => ({
  ...aWorld({}, ledger),
  documents: documentsIn({ ...ACCOUNTS, ...documents }),
});
const documentsIn = (documents: Readonly<Record<Path, object | undefined>>): ReadonlyMap<Path, object> =>
  new Map(
    Object.entries(documents).flatMap(([path, fields]): [Path, object][] =>
      fields === undefined ? [] : [[path, fields]],
    ),
  );

/** People left one of two widgets of this order, and it was delivered. */
const HALF = [{ item: 'widget', quantity: 1 }];
const AMENDMENT = { word: 'amend', items: HALF };
const DECIDED = aLedgerThatIs(SUCCESS, {
  on_shortage: 'ask',
  offered: [{ item: 'widget', quantity: 2, price_per_unit: PRICE }],
  lines: [{ item: 'widget', quantity: 1, price_per_unit: PRICE }],
  items: [{ item: 'widget', quantity: 3 }],
  heard: { ...SUCCESSFUL.heard, inventory: AMENDMENT },
  history: SUCCESSFUL.history.flatMap((line) =>
    statusIn(line) === 'RESERVED'
      ? [line.replace('RESERVED', 'WAITING'), line.replace('RESERVED inventory', 'RESUMED frontend'), line]
      : [line],
  ),
});
/** A world in which nothing else was sold. */
function soldAs(ledger: OrderLedger): World {
  const documents: Record<Path, object> = { ...ACCOUNTS };
  for (const hold of holdsOf(pipeline, ledger)) {
    const { path } = hold;
    if (!isAmount(hold)) documents[path] = hold.fields;
    else if (hold.amount !== 0) {
      const account = documents[path] as Readonly<Record<string, number>>;
      const { balance } = hold.account;
      documents[path] = { ...account, [balance]: Number(account[balance]) - hold.amount };
    }
  }
  return { ...aWorld({}, ledger), documents: documentsIn(documents) };
}
const ORDERED = anOrder({ items: [{ item: 'widget', quantity: 3 }], on_shortage: 'ask' });
const decided = (fields: Partial<Expectation> = {}): Expectation =>
  expectation({
    accepted: new Map([[UUID, planned({ order: ORDERED })]]),
    said: new Map([[UUID, [AMENDMENT]]]),
    heeded: new Map([[UUID, [AMENDMENT, AMENDMENT]]]),
    ...fields,
  });
/** It waited in vain. */
const IN_VAIN = fail(pipeline, aLedgerThatIs('WAITING', { on_shortage: 'ask' }), {
  ...{ by: 'janitor', reason: 'DEADLINE_EXCEEDED', detail: 'why', now: NOW },
}) as OrderLedger;
/** Of one of them, people say something; of the other, they don't. */
const [TALKED_ABOUT, LEFT_ALONE] = [uuidOf(0), UUID];
const orchestrated = (ledger: OrderLedger): OrderLedger => ({
  ...ledger,
  mode: 'orchestration',
  history: ledger.history.map((line) =>
    line.replace(/(?<=(CREATED|RESERVED|PAID|DELIVERING|DELIVERED) )\S+/, 'orchestrator'),
  ),
});

const planned = (fields: Partial<PlannedOrder> = {}): PlannedOrder => ({
  order: anOrder(),
  by: 'http',
  posts: 1,
  ...fields,
});
const expectation = (fields: Partial<Expectation> = {}): Expectation => ({
  loaded: LOADED,
  accepted: new Map([[UUID, planned()]]),
  askedToCancel: new Set(),
  canceled: new Set(),
  mayExpire: false,
  poisonCount: 0,
  said: new Map(),
  heeded: new Map(),
  heard: new Set([`${UUID}/${END}`, `${UUID}/order-canceled`, `${UUID}/error`]),
  ...fields,
});

/** What is to be done where a step is new. */
const knowsNothingOf = (what: string, todo: string) =>
  `test/chaos/verdict.ts knows nothing of ${what}: ${todo}`;

describe('The verdict on a run', () => {
  it('knows every status with its topic, and where the accounts lie', () => {
    const statuses = WAY.split(' ').filter((status) => TOLD[status] !== pipeline.topicOf(status));
    expect(statuses, 'add them to WAY of test/chaos/verdict.ts').to.deep.equal([]);
    const accounts = Object.keys(ACCOUNTS).filter((path) => !BOOKED.test(path));
    expect(accounts, 'add their collections to ACCOUNTS of test/chaos/verdict.ts').to.deep.equal([]);
  });

  it('finds nothing where all is well', () => {
    expect(judge(aWorld(), expectation())).to.deep.equal({ lost: [], wrong: [] });
    expect(judge(untouched(aLedgerThatIs('CANCELED')), expectation({ accepted: new Map() }))).to.deep.equal({
      lost: [],
      wrong: [],
    });
  });

  it('finds nothing where the orchestrator did the steps, or people decided', () => {
    const done = orchestrated(SUCCESSFUL);
    const accepted = new Map([[UUID, planned({ order: anOrder({ mode: 'orchestration' }) })]]);
    expect(judge(soldAs(done), expectation({ accepted }))).to.deep.equal({ lost: [], wrong: [] });
    expect(judge(soldAs(DECIDED), decided())).to.deep.equal({ lost: [], wrong: [] });
  });

  it('misses an order that was accepted and is not there', () => {
    const other = uuidOf(7);
    const accepted = new Map([
      [UUID, planned()],
      [other, planned()],
    ]);
    expect(judge(aWorld(), expectation({ accepted }))).to.deep.equal({
      lost: [`Order ${other} was accepted and is not there`],
      wrong: [],
    });
  });

  it('sees an order that has not come to its end', () => {
    const { lost } = judge(untouched(aLedgerThatIs('FAILING')), expectation({ accepted: new Map() }));
    expect(lost).to.deep.equal([`Order ${UUID} still is FAILING`]);
  });

  const wrongs: [what: string, world: World, expected: Expectation, sentence: string | RegExp][] = [
    [
      'units that are gone',
      aWorld(widgets(7)),
      expectation(),
      'Of widget, 10 were loaded, 7 are left and 2 reserved',
    ],
    [
      'credit that came back twice',
      aWorld({ 'users/joe': { ...JOE, credit: 101 } }),
      expectation(),
      'The credit of joe was 100, 101 is left and 0 charged',
    ],
    [
      'an order record that is missing',
      aWorld({ [RECORD]: undefined }),
      expectation(),
      `${RECORD} must hold {"items":[{"item":"widget","quantity":2}],"createdAt":"${NOW_TEXT}"}, and holds nothing`,
    ],
    [
      'an invoice of an order that is not paid',
      untouched(aLedgerThatIs('CANCELED'), { [INVOICE]: INVOICED }),
      expectation({ accepted: new Map() }),
      `${INVOICE} must hold nothing, and holds ${INVOICED_TEXT}`,
    ],
    [
      'an invoice over another sum',
      aWorld({ [INVOICE]: { ...INVOICED, total_invoice: 11 } }),
      expectation(),
      `${INVOICE} must hold ${INVOICED_TEXT}, and holds ${INVOICED_TEXT.replace(':10,', ':11,')}`,
    ],
    [
      'an invoice of another moment',
      aWorld({ [INVOICE]: { ...INVOICED, createdAt: LATER } }),
      expectation(),
      `${INVOICE} must hold ${INVOICED_TEXT}, and holds ${INVOICED_TEXT.replace(NOW_TEXT, LATER.toISOString())}`,
    ],
    [
      'an invoice that charges nothing to a customer with a limit',
      aWorld({ [INVOICE]: { ...INVOICED, user: 'joe' } }, aLedgerThatIs(SUCCESS, { user: 'joe' })),
      expectation({ accepted: new Map([[UUID, planned({ order: anOrder({ user: 'joe' }) })]]) }),
      'The credit of joe was 100, 100 is left and 0 charged',
    ],
    [
      'a price that is not the one of the item',
      aWorld({}, { ...SUCCESSFUL, lines: [{ item: 'widget', quantity: 2, price_per_unit: PRICE + 1 }] }),
      expectation(),
      /must know .*"price_per_unit":5.*, and knows .*"price_per_unit":6/,
    ],
    [
      'a status that nobody knows',
      aWorld({}, { ...SUCCESSFUL, status: 'UNHEARD_OF' as Status }),
      expectation(),
      `Nobody announced ${UUID}/what UNHEARD_OF calls for`,
    ],
    [
      'a payment that was to fail',
      aWorld(),
      // The ledger has no payment-error either: what counts is what the customer says.
      expectation({
        accepted: new Map([[UUID, planned({ order: anOrder({ paymentError: 'true' }) })]]),
      }),
      `Order ${UUID} is ${SUCCESS}, but its payment was to fail`,
    ],
    [
      'a step that was to fail',
      aWorld(),
      expectation({ accepted: new Map([[UUID, planned({ order: anOrder({ fail: 'inventory' }) })]]) }),
      `Order ${UUID} is ${SUCCESS}, but inventory was to fail`,
    ],
    [
      'a cancellation that was accepted and forgotten',
      aWorld(),
      expectation({ canceled: new Set([UUID]) }),
      `Order ${UUID} is ${SUCCESS}, but was canceled by its customer`,
    ],
    [
      'an order that nothing stood against',
      untouched({ ...aLedgerThatIs('CANCELED'), detail: 'why' }),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: PAYMENT_ERROR, why`,
    ],
    [
      'an order that was canceled although nobody asked for it',
      untouched({ ...aLedgerThatIs('CANCELED'), reason: 'CANCELED_BY_CUSTOMER', detail: 'why' }),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: CANCELED_BY_CUSTOMER, why`,
    ],
    [
      'an order that missed a deadline which it can not have missed',
      untouched({ ...aLedgerThatIs('CANCELED'), reason: 'DEADLINE_EXCEEDED', detail: 'why' }),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: DEADLINE_EXCEEDED, why`,
    ],
    [
      'a step that was done twice',
      aWorld(
        {},
        { ...SUCCESSFUL, history: [...SUCCESSFUL.history, `${NOW.toISOString()} ${SUCCESS} payments`] },
      ),
      expectation(),
      `Order ${UUID} is ${SUCCESS} and went ${WAY} ${SUCCESS}`,
    ],
    [
      'a step of an orchestrated order that its own service did',
      aWorld({}, { ...SUCCESSFUL, mode: 'orchestration' }),
      expectation(),
      `Order ${UUID} is orchestration, but there is ${NOW_TEXT} PAID payments`,
    ],
    [
      'a step of any other order that the orchestrator did',
      aWorld({}, { ...SUCCESSFUL, history: orchestrated(SUCCESSFUL).history }),
      expectation(),
      `Order ${UUID} is choreographed, but there is ${NOW_TEXT} PAID orchestrator`,
    ],
    [
      'an order that waited without asking',
      soldAs((({ on_shortage: _, ...asked }) => asked)(DECIDED)),
      decided(),
      `Order ${UUID} waited, but did not ask for that`,
    ],
    [
      'a word that nobody said',
      soldAs(DECIDED),
      decided({ said: new Map([[UUID, [{ word: 'approve' }]]]), heeded: new Map() }),
      `Order ${UUID} has heard ${JSON.stringify(AMENDMENT)}, which nobody said`,
    ],
    [
      'two words that contradict each other, and both were heeded',
      soldAs(DECIDED),
      decided({ heeded: new Map([[UUID, [AMENDMENT, { word: 'approve' }]]]) }),
      `Order ${UUID} answered that it heeds {"word":"approve"}, but has heard ${JSON.stringify(AMENDMENT)}`,
    ],
    [
      'a word that was heard and not heeded',
      soldAs({ ...DECIDED, lines: [{ item: 'widget', quantity: 2, price_per_unit: PRICE }] }),
      decided(),
      /must know .*"lines":\[\{"item":"widget","quantity":1,.*, and knows .*"lines":\[\{"item":"widget","quantity":2,/,
    ],
    [
      'an offer of more than was asked for',
      soldAs({ ...DECIDED, offered: [{ item: 'widget', quantity: 4, price_per_unit: PRICE }] }),
      decided(),
      /must know .*"offered":"a part of the order".*, and knows .*"offered":\[/,
    ],
    [
      'an order that gave up although people said something',
      untouched({ ...IN_VAIN, uuid: TALKED_ABOUT }),
      expectation({ accepted: new Map() }),
      `Order ${TALKED_ABOUT} waited and gave up for no good reason: DEADLINE_EXCEEDED`,
    ],
    [
      'a final state that nobody was told of',
      aWorld(),
      expectation({ heard: new Set() }),
      `Nobody announced ${UUID}/${END}`,
    ],
    [
      'a dead letter too few',
      aWorld(),
      expectation({ poisonCount: 1 }),
      '1 dead letters were to be, not 0:\n',
    ],
  ];
  for (const [what, world, expected, sentence] of wrongs) {
    it(`sees ${what}`, () => {
      const { wrong } = judge(world, expected);
      const isIt = (one: string) => (sentence instanceof RegExp ? sentence.test(one) : one === sentence);
      expect(wrong.filter(isIt), wrong.join('\n')).to.have.length(1);
    });
  }

  it('does not blame an order that gave up because nobody had anything to say', () => {
    const { wrong } = judge(
      untouched({ ...IN_VAIN, uuid: LEFT_ALONE }),
      expectation({ accepted: new Map([[LEFT_ALONE, planned({ order: anOrder({ on_shortage: 'ask' }) })]]) }),
    );
    expect(wrong.filter((sentence) => /gave up|no good reason/.test(sentence))).to.deep.equal([]);
  });

  for (const hold of HOLDS) {
    const { path } = hold;
    if (!isAmount(hold)) {
      it(`sees that the ${hold.record.name} of an order is gone`, () => {
        const { wrong } = judge(aWorld({ [path]: undefined }), expectation());
        expect(wrong, knowsNothingOf(path, 'add it to recordsOf')).to.have.length.at.least(1);
      });
    } else if (hold.amount > 0 || FURTHER.some((one) => one.path === path)) {
      const { balance, name } = hold.account;
      it(`sees that a unit of the ${name} is gone, and that an order took none`, () => {
        expect(hold.amount, `jack's order takes nothing of ${path}: ${LOWER_A_THRESHOLD}`).not.to.equal(0);
        for (const change of [-1, hold.amount]) {
          const account = SOLD[path] as Readonly<Record<string, number>>;
          const changed = { ...account, [balance]: Number(account[balance]) + change };
          const { wrong } = judge(aWorld({ [path]: changed }), expectation());
          expect(
            wrong,
            knowsNothingOf(path, 'add a function like wrongStock to judge'),
          ).to.have.length.at.least(1);
        }
      });
    }
  }

  for (const [index, { step, learns }] of pipeline.acts.entries()) {
    const { name } = step;
    for (const field of Object.keys(learns.shape)) {
      const value = SUCCESSFUL[field as keyof OrderLedger] ?? sampleOf(learns.shape[field] as z.ZodType);
      const isLearned = field in SUCCESSFUL;
      const naming = `.*"${field}":.*`;
      const mustSay = (ledger: OrderLedger, sentence: RegExp) => {
        const { wrong } = judge(untouched(ledger), expectation());
        expect(wrong.join('\n'), knowsNothingOf(field, 'add it to wrongKnowledge')).to.match(sentence);
      };

      it(`sees that ${field} is another than ${name} must have learned, or none`, () => {
        for (const other of [...(isLearned ? [undefined] : []), ...falsified(value)])
          mustSay(
            { ...SUCCESSFUL, [field]: other },
            new RegExp(`must know ${isLearned ? `${naming}, and knows ` : `.*, and knows ${naming}`}`),
          );
      });

      it(`sees that ${field} is known before ${name} has learned it`, () => {
        const before = aLedgerThatIs((pipeline.acts[index - 1]?.status ?? 'RECEIVED') as Status);
        mustSay(
          { ...before, [field]: value },
          new RegExp(`must know (?!${naming}, and knows ).*, and knows ${naming}`),
        );
      });
    }
  }

  it('sees another order than the one that was placed', () => {
    const order = anOrder({ items: [{ item: 'widget', quantity: 3 }] });
    expect(
      judge(aWorld(), expectation({ accepted: new Map([[UUID, planned({ order })]]) })).wrong,
    ).to.deep.equal([`Order ${UUID} is not the order that was placed`]);
  });

  it('sees what a replay has changed, and nothing where it changed nothing', () => {
    expect(differences(aWorld(), aWorld())).to.deep.equal([]);
    const after = aWorld(widgets(6));
    expect(differences(aWorld(), after)).to.deep.equal([
      `The replay changed inventory/widget from {"quantity":8,"loaded":10,"price_per_unit":${PRICE}} to {"quantity":6,"loaded":10,"price_per_unit":${PRICE}}`,
    ]);
  });

  it('is written by hand: it uses nothing of what it judges', () => {
    const used = ['verdict', 'world', 'orders'].flatMap((name) => {
      const source = readFileSync(new URL(`test/chaos/${name}.ts`, packageRoot), 'utf8');
      return [...source.matchAll(/^import (?!type).*?from '([^']+)';$/gms)].map(([, from]) => from);
    });
    expect(used.filter((from) => !from?.startsWith('./'))).to.deep.equal(['node:util']);
  });

  it('knows every status of the pipeline, and the topic that announces it', () => {
    const modes = [{}, { mode: 'orchestration' as const }];
    for (const ledger of pipeline.statuses.flatMap((status) =>
      modes.map((mode) => aLedgerThatIs(status, mode)),
    )) {
      const { attributes } = messageFor(pipeline, ledger);
      const world = untouched(ledger);
      expect(unannounced(world, new Set())).to.deep.equal([attributes['ce-id']]);
      const { lost } = judge(world, expectation({ accepted: new Map() }));
      expect(lost.length > 0, ledger.status).to.equal(!hasEnded(ledger));
    }
  });
});
