import { expect } from 'chai';
import { pipeline as saga } from '../../pipeline.ts';
import { transitionsOf } from '../../saga/ledger/history.ts';
import { CANCELED } from '../../saga/ledger/ledger.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../support/pipeline.ts';

interface Event {
  readonly uuid: string;
  readonly status: string;
}

for (const backend of sampledBackends) {
  describe(`What happened to a customer's orders, on ${backend.name}`, function () {
    this.timeout(60_000);
    let pipeline: Pipeline;
    before(async function () {
      pipeline = await startPipeline(await backend.open(this));
    });
    after(() => pipeline?.close());

    it('is the history of each of them, the newest first, a page of orders at a time', async () => {
      const placed = [];
      for (const [user, quantity] of [
        ['jack', 1],
        ['joe', 1],
        ['jack', 1_000],
        ['jack', 2],
      ] as const) {
        placed.push(await pipeline.order({ item: 'widget', quantity, user }));
      }
      const expected = placed
        .filter(({ user }) => user === 'jack')
        .toReversed()
        .flatMap((ledger) =>
          transitionsOf(ledger)
            .toReversed()
            .map((one) => ({ uuid: ledger.uuid, ...one, at: one.at.toISOString() })),
        );
      expect(new Set(placed.map(({ status }) => status))).to.deep.equal(new Set([saga.success, CANCELED]));

      const first = await pipeline.get('/users/jack/events?limit=2');
      expect(first.status).to.equal(200);
      const next = await pipeline.get(`/users/jack/events?limit=2&page=${first.body.next_page}`);
      expect(next.body).not.to.have.property('next_page');
      expect(new Set(first.body.events.map(({ uuid }: Event) => uuid)).size).to.equal(2);
      expect([...first.body.events, ...next.body.events]).to.deep.equal(expected);
      const failure = expected.find(({ status }) => status === 'FAILING');
      expect(failure).to.include({ reason: 'INSUFFICIENT_INVENTORY', by: 'inventory' });
    });

    it('is nothing where there are no orders, and no such name', async () => {
      expect((await pipeline.get('/users/nobody/events')).body).to.deep.equal({ events: [] });
      expect((await pipeline.get('/users/__x__/events')).status).to.equal(404);
      expect((await pipeline.get('/users/jack/events?limit=0')).status).to.equal(400);
      expect((await pipeline.get('/users/jack/events?page=x')).status).to.equal(400);
    });
  });
}
