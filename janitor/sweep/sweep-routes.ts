import { operatorIn } from '../../saga/http/caller.ts';
import { type Route, route } from '../../saga/http/http.ts';
import type { Log } from '../../saga/ports/log.ts';
import { type SweepReport, sweepReport } from './sweep.ts';

/** Lets a scheduler or an operator ask for a sweep. */
export function sweepRoutes(sweep: () => Promise<SweepReport>, log: Log): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/sweep',
      summary: 'Move on the orders that stand still',
      answer: sweepReport,
      audience: 'operators',
      responses: { 200: 'How many orders were announced again, were failed, or could not be moved' },
      async handle({ caller }) {
        log('INFO', 'janitor: a sweep was asked for', { step: 'janitor', operator: operatorIn(caller) });
        return { status: 200, body: await sweep() };
      },
    }),
  ];
}
