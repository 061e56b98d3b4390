import { expect } from 'chai';
import { z } from 'zod';
import { DATA, trip } from '../../examples/trip/trip.ts';
import { janitor } from '../../janitor/service.ts';
import { orchestrator } from '../../orchestrator/service.ts';
import type { Ledger } from '../../saga/ledger/ledger.ts';
import { defineSaga } from '../../saga/step/saga.ts';
import { missedGuards, simulate } from '../../test-kit/simulation/simulate.ts';
import type { Subject } from '../../test-kit/simulation/subject.ts';
import { sampled } from '../support/thorough.ts';

/** The trip, which knows nothing of it, with trips that are orchestrated and others that are not. */
const saga = defineSaga({
  ...trip,
  order: {
    ...trip.order,
    schema: trip.order.schema.extend({ mode: z.literal('orchestration').exactOptional() }),
    modeIn: 'mode',
    parse(body: Record<string, unknown>) {
      const { mode, ...asked } = body;
      const parsed = trip.order.parse(asked);
      return 'order' in parsed && mode === 'orchestration' ? { order: { ...parsed.order, mode } } : parsed;
    },
    shows: (ledger: Ledger) => ({
      ...trip.order.shows(ledger),
      ...('mode' in ledger && { mode: ledger.mode }),
    }),
  },
  workflow: { topic: 'workflow', says: 'an orchestrated trip goes on' },
  services: [janitor, orchestrator],
} as never);

const subject = (share: number): Subject => ({
  saga,
  data: DATA,
  anOrder: (dice) => ({
    traveler: 'ann',
    flight: 'LH1',
    hotel: 'Ritz',
    car: dice.oneOf(['small', 'small', 'none']),
    seats: dice.whole(1, 3),
    ...(dice.often(share) && { mode: 'orchestration' }),
  }),
});

describe('A trip in both modes', function () {
  this.timeout(120_000);

  it('[anomaly 50] is booked as a whole or not at all, side by side on the same seats', async () => {
    const { failure } = await simulate(subject(0.5), { seeds: sampled(75, 30) });
    expect(failure?.report ?? '').to.equal('');
  });

  it('would not be if the kernel lacked any of its guards', async () => {
    expect(await missedGuards(subject(0.3))).to.deep.equal([]);
  });
});
