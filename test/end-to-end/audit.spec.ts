import { expect } from 'chai';
import { systemClock } from '../../adapters/system-clock.ts';
import { reservations } from '../../inventory/reservations.ts';
import type { AuditReport } from '../../janitor/audit/audit-report.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline as saga } from '../../pipeline.ts';
import { pause } from '../../saga/ports/clock.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../support/pipeline.ts';

for (const backend of sampledBackends) {
  describe(`An audit on ${backend.name}`, () => {
    let pipeline: Pipeline;
    before(async function () {
      pipeline = await startPipeline(await backend.open(this));
    });
    after(() => pipeline?.close());
    /** On the embedded engine an audit waits for nothing by itself: the orders get their turn. */
    const audited = () =>
      takeAudit(saga, { store: pipeline.store, clock: systemClock }, () => pause(systemClock, 0));

    it('proves on live data, while orders are placed and canceled, that nothing is ever lost or held twice', async function () {
      this.timeout(60_000);
      let placing = true;
      async function placeOrders(user: string): Promise<void> {
        while (placing) {
          const items = ['widget', 'wotsit'].map((item) => ({ item, quantity: 1 }));
          const { body } = await pipeline.post('/order', { user, items });
          // Sooner or later than it is paid: what it took comes back for the next one.
          await pipeline.post(`/order/${body.uuid}/cancel`, {});
        }
      }
      const placed = Promise.all(['jack', 'joe', 'jack', 'nobody'].map(placeOrders));
      const reports: AuditReport[] = [];
      /** Shows something only where orders were under way, and held something. */
      const isTelling = ({ counts: { byStatus, orders, documents } }: AuditReport) =>
        orders - (byStatus.CANCELED ?? 0) > 0 && Number(documents[reservations.name]) > 0;
      while (reports.filter(isTelling).length < 3) reports.push(await audited());
      placing = false;
      await placed;
      await pipeline.bus.idle();
      reports.push(await audited());
      expect(reports.flatMap(({ violations }) => violations)).to.deep.equal([]);
      expect(reports.flatMap(({ stuck }) => stuck)).to.deep.equal([]);
      expect(reports.at(-1)?.counts.documents).to.include(
        Object.fromEntries(saga.records.map(({ name }) => [name, 0])),
      );
      expect(await pipeline.remaining()).to.deep.equal({ widget: 10, wotsit: 20, jack: undefined, joe: 100 });
    });
  });
}
