import { expect } from 'chai';
import { pipeline as saga } from '../../pipeline.ts';
import { aLedger, NOW, PRICE, uuidOf } from '../../test/support/builders.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { announcedAgain } from './deadline.ts';
import { advance, beginWait, complete, fail, type Ledger, pause, resume, unpause } from './ledger.ts';
import { ledgerAfter, ledgerAt } from './ledger-at.ts';
import { readLedger } from './read-ledger.ts';

/** A second after another, so that each transition has a moment of its own. */
const second = (count: number) => new Date(NOW.getTime() + 1000 * count);

type Move = (ledger: Ledger, now: Date) => Ledger;
const does =
  (step: string, learned: object = {}): Move =>
  (ledger, now) =>
    advance(saga, ledger, { step, by: step, learned, now });
const waits =
  (step: string, learned: object): Move =>
  (ledger, now) =>
    beginWait(saga, ledger, { step, by: step, learned, until: second(86_400), now });
const hears =
  (word: string): Move =>
  (ledger, now) =>
    resume(saga, ledger, { word: { word }, by: 'frontend', now });
const priced = [{ item: 'widget', quantity: 2, price_per_unit: PRICE }];
const steering = { by: 'janitor', person: 'alice', note: 'The provider is away' };

/** All that can happen to an order that does not fail. */
const WAY: readonly Move[] = [
  does('order'),
  waits('inventory', { offered: priced }),
  hears('approve'),
  does('inventory', { lines: priced }),
  (ledger, now) => pause(saga, ledger, { ...steering, now }),
  (ledger, now) => unpause(saga, ledger, { ...steering, now }),
  does('payments', { delivery_cost: 0, charged: 0 }),
  waits('delivery', { address: '1 Main Street' }),
  hears('delivered'),
  does('delivery'),
];
const FAILURE: readonly Move[] = [
  (ledger, now) => fail(saga, ledger, { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now }),
  (ledger, now) => complete(saga, ledger, 'janitor', now),
];

/** The ledgers of an order that goes so far, each a second after the one before; if that is not its end, it fails and is canceled. */
function lifeOf(count: number): Ledger[] {
  const life: Ledger[] = [aLedger()];
  for (const move of [...WAY.slice(0, count), ...(count < WAY.length ? FAILURE : [])])
    life.push(deepFreeze(move(life.at(-1) as Ledger, second(life.length))));
  return life;
}

/** Without what no transition tells: when a sweep was planned, but whether one was. */
const told = ({ sweepAt, ...rest }: Ledger) => ({ ...rest, rests: sweepAt === null });

describe('A ledger at a moment', () => {
  for (let count = 0; count <= WAY.length; count++) {
    const life = lifeOf(count);
    it(`is what it was at that moment, although the order failed as ${life.at(-3)?.status} after ${count} transitions`, () => {
      const now = life.at(-1) as Ledger;
      for (const [index, then] of life.entries()) {
        for (const moment of [second(index), second(index + 0.999)]) {
          const past = ledgerAt(saga, now, moment) as Ledger;
          expect(told(past), then.status).to.deep.equal(told(then));
          expect(readLedger(saga, past.uuid, past), then.status).to.deep.equal({ ledger: past });
        }
      }
    });
  }

  it('is none before the order came, and the ledger itself from its last transition on', () => {
    const ledger = announcedAgain(saga, aLedger(), second(40));
    expect(ledgerAt(saga, ledger, new Date(NOW.getTime() - 1))).to.equal(undefined);
    expect(ledgerAfter(saga, ledger, 0)).to.equal(undefined);
    expect(ledgerAt(saga, ledger, NOW)).to.equal(ledger);
    expect(ledgerAt(saga, ledger, new Date('9999-12-31T23:59:59Z'))).to.equal(ledger);
  });

  it('is none of a fork before it was made: what it repeats is the past of another order', () => {
    const life = lifeOf(5);
    const paused = life[5] as Ledger;
    const fork = { ...(life.at(-1) as Ledger), forkOf: { uuid: uuidOf(2), at: second(5) } };
    expect([second(4), second(4.999)].map((moment) => ledgerAt(saga, fork, moment))).to.deep.equal([
      undefined,
      undefined,
    ]);
    const { forkOf, ...past } = ledgerAt(saga, fork, second(5)) as Ledger;
    expect(told(past)).to.deep.equal(told(paused));
  });

  it('has not been announced again as often as the ledger that stands now', () => {
    const [received, created] = lifeOf(1) as [Ledger, Ledger];
    const ledger = announcedAgain(saga, created, second(40));
    expect(told(ledgerAt(saga, ledger, NOW) as Ledger)).to.deep.equal(told(received));
  });
});
