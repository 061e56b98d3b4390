import { type Route, route } from '../../saga/http/http.ts';
import { pause } from '../../saga/ports/clock.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { type AuditReport, reportSchema } from './audit-report.ts';
import { takeAudit } from './take-audit.ts';

/** Lets operators ask whether stock, money and records are what the ledgers say. */
export function auditRoutes(saga: Saga, ports: Ports): readonly Route[] {
  let underWay: Promise<AuditReport> | undefined;
  return [
    route({
      method: 'GET',
      path: '/audit',
      summary: 'Prove that stock, money and records are what the ledgers say',
      answer: reportSchema,
      audience: 'operators',
      responses: { 200: 'What is wrong, which orders are stuck, and how much was checked' },
      async handle() {
        // An audit reads everything, so requests that come while one is under way share its answer. On the embedded engine
        // it would never yield by itself, and orders would have to wait until it ends.
        underWay ??= takeAudit(saga, ports, () => pause(ports.clock, 0)).finally(() => {
          underWay = undefined;
        });
        return { status: 200, body: await underWay };
      },
    }),
  ];
}
