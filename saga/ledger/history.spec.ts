import { expect } from 'chai';
import { aLedger, LATER, NOW } from '../../test/support/builders.ts';
import {
  aLedgerOfThree as aLedgerThatIs,
  shopOfThree as pipeline,
} from '../../test/support/shop-of-three.ts';
import { historyLine, lastTransition, transitionsOf, transitionTo, withoutPauses } from './history.ts';
import { fail } from './ledger.ts';

const failed = fail(pipeline, aLedgerThatIs('CREATED'), {
  by: 'inventory',
  reason: 'ITEM_NOT_FOUND',
  detail: 'There is no item widget',
  now: LATER,
});

describe('The history of a ledger', () => {
  it('says who moved it where, and when, the oldest first, and why it failed', () => {
    const last = { status: 'FAILING', by: 'inventory', at: LATER };
    expect(transitionsOf(failed)).to.deep.equal([
      { status: 'RECEIVED', by: 'frontend', at: NOW },
      { status: 'CREATED', by: 'order', at: NOW },
      { ...last, reason: 'ITEM_NOT_FOUND', detail: 'There is no item widget' },
    ]);
    expect(lastTransition(failed)).to.deep.equal(last);
  });

  it('tells when the order came to a status, and nothing of one to which it never came', () => {
    expect(transitionTo(failed, 'FAILING')).to.deep.equal({ status: 'FAILING', by: 'inventory', at: LATER });
    expect(transitionTo(failed, 'RESERVED')).to.equal(undefined);
    expect(transitionTo(aLedger({ history: [historyLine('RECEIVED', 'CREATED', NOW)] }), 'CREATED')).to.equal(
      undefined,
    );
  });

  const PERSON = 'ann of the night shift';
  const NOTE = 'away: see the log';
  const lines: readonly (readonly [who: object, line: string])[] = [
    [{}, 'PAUSED janitor'],
    [{ person: PERSON }, `PAUSED janitor ${PERSON}`],
    [{ person: PERSON, note: NOTE }, `PAUSED janitor ${PERSON}: ${NOTE}`],
    [{ note: NOTE }, `PAUSED janitor : ${NOTE}`],
  ];
  for (const [who, line] of lines) {
    it(`tells whose wish it was and why, if it was anybody's: ${line}`, () => {
      const { person, note }: { person?: string; note?: string } = who;
      const history = [historyLine('PAUSED', 'janitor', LATER, person, note)];
      expect(history).to.deep.equal([`${LATER.toISOString()} ${line}`]);
      expect(lastTransition({ history })).to.deep.equal({
        status: 'PAUSED',
        by: 'janitor',
        at: LATER,
        ...who,
      });
    });
  }

  it('leaves pauses out, but not a failure during one', () => {
    const way = (...statuses: string[]) => withoutPauses(statuses);
    expect(way('RECEIVED', 'PAUSED', 'RECEIVED', 'CREATED')).to.deep.equal(['RECEIVED', 'CREATED']);
    expect(way('RECEIVED', 'PAUSED', 'FAILING', 'CANCELED')).to.deep.equal([
      'RECEIVED',
      'FAILING',
      'CANCELED',
    ]);
  });
});
