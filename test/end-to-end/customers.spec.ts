import { expect } from 'chai';
import { createCustomerCheck } from '../../adapters/http/customer-token.ts';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { uuidOf } from '../support/builders.ts';
import { readEvents } from '../support/event-stream.ts';
import { AUDIENCE, type Issuer, startIssuer } from '../support/issuer.ts';
import { type Pipeline, startPipeline, topology } from '../support/pipeline.ts';

const OPERATOR_TOKEN = '0123456789abcdef0123456789abcdef';
const ORDER = { item: 'widget', quantity: 1, user: 'jack' };

describe('Customers who are told apart', () => {
  let issuer: Issuer;
  let pipeline: Pipeline;
  let jack: Record<string, string>;
  let joe: Record<string, string>;
  const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` };
  const as = async (claims: Record<string, unknown>) => ({
    authorization: `Bearer ${await issuer.token(claims)}`,
  });

  before(async () => {
    issuer = await startIssuer();
    const identity = { issuer: issuer.url, audience: AUDIENCE, claim: 'sub' };
    pipeline = await startPipeline(
      { store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) },
      undefined,
      undefined,
      undefined,
      {
        operators: { by: 'token', token: OPERATOR_TOKEN },
        customers: createCustomerCheck(identity, { timeoutMs: 1000, cooldownMs: 0 }),
      },
    );
    jack = await as({ sub: 'jack' });
    joe = await as({ sub: 'joe' });
  });
  after(async () => {
    await pipeline.close();
    await issuer.close();
  });

  it('[anomaly 39] order for themselves, and for nobody else', async () => {
    expect((await pipeline.post('/order', ORDER, jack)).status).to.equal(202);
    const { status, body } = await pipeline.post('/order', ORDER, joe);
    expect([status, body.detail]).to.deep.equal([
      403,
      'Your token is for another customer: you may see and order only what is yours',
    ]);
    expect((await pipeline.post('/order', ORDER, operator)).status).to.equal(202);
  });

  it('[anomaly 39] find of others exactly what they find where there is nothing', async () => {
    const { uuid } = await pipeline.orderThatWaits(ORDER, jack);
    const own = [`/order/${uuid}`, `/payments/${uuid}`, '/users/jack'];
    for (const path of own) {
      expect((await pipeline.get(path, jack)).status, path).to.equal(200);
      expect((await pipeline.get(path, operator)).status, path).to.equal(200);
      const foreign = await pipeline.get(path, joe);
      const none = await pipeline.get(path.replace(uuid, uuidOf(9)).replace('jack', 'nobody'), joe);
      expect(foreign.status, path).to.equal(404);
      const blurred = JSON.stringify(foreign.body).replace(uuid, uuidOf(9)).replace('jack', 'nobody');
      expect(blurred).to.equal(JSON.stringify(none.body));
    }
    expect((await pipeline.get(`/order/${uuid}?at=2020-01-01T00:00:00Z`, joe)).body.detail).to.equal(
      `There is no order ${uuid}`,
    );
    const canceled = await pipeline.post(`/order/${uuid}/cancel`, '', joe);
    expect([canceled.status, canceled.body.detail]).to.deep.equal([404, `There is no order ${uuid}`]);
    expect((await pipeline.ledger(uuid))?.status).not.to.match(/FAILING|CANCELED/);
    expect((await pipeline.post(`/order/${uuid}/cancel`, '', jack)).status).to.equal(202);
    await pipeline.bus.idle();
    // What is canceled already is no answer for strangers either.
    expect((await pipeline.post(`/order/${uuid}/cancel`, '', joe)).status).to.equal(404);
    expect((await pipeline.post(`/order/${uuid}/cancel`, '', jack)).status).to.equal(409);
  });

  it('[anomaly 39] watch and count what is theirs alone, and operators everything', async () => {
    const { uuid } = await pipeline.order(ORDER, jack);
    const statusOf = async (path: string, headers: Record<string, string>) => {
      const reader = await readEvents(pipeline.url + path, headers);
      reader.close();
      return reader.status;
    };
    for (const [path, foreign] of [
      [`/order/${uuid}/events`, 404],
      ['/events?user=jack', 403],
    ] as const) {
      expect(await statusOf(path, joe), path).to.equal(foreign);
      expect(await statusOf(path, {}), path).to.equal(401);
      for (const who of [jack, operator]) expect(await statusOf(path, who), path).to.equal(200);
    }
    expect((await pipeline.get('/orders/counts?user=jack', joe)).status).to.equal(403);
    const [joes, all] = await Promise.all(
      [joe, operator].map((who) => readEvents(`${pipeline.url}/events`, who)),
    );
    await Promise.all([joes, all].map((reader) => reader?.until('tally')));
    await pipeline.order(ORDER, jack);
    const { uuid: own } = await pipeline.order({ ...ORDER, user: 'joe' }, joe);
    expect((await joes?.until('order'))?.data.uuid).to.equal(own);
    expect(
      (await joes?.until('tally', ({ entered }) => entered[shop.success]))?.data.entered.RECEIVED,
    ).to.equal(1);
    await all?.until('tally', ({ entered }) => entered[shop.success] === 2);
    joes?.close();
    all?.close();
    const { counts } = (await pipeline.get('/orders/counts', joe)).body;
    const listed = (await pipeline.get('/orders?limit=100', joe)).body.orders;
    expect(Object.values<number>(counts).reduce((sum, one) => sum + one)).to.equal(listed.length);
  });

  it("[anomaly 39] are not told that another's ledger is malformed", async () => {
    const { uuid } = await pipeline.order(ORDER, jack);
    const ledger = (await pipeline.ledger(uuid)) as object;
    await pipeline.store.commit([{ kind: 'remove', path: ledgerPath(uuid) }]);
    await pipeline.store.commit([
      { kind: 'create', path: ledgerPath(uuid), fields: { ...ledger, shard: -1 } },
    ]);
    for (const [who, status] of [
      [jack, 500],
      [joe, 404],
    ] as const) {
      expect((await pipeline.get(`/order/${uuid}`, who)).status).to.equal(status);
      expect((await pipeline.post(`/order/${uuid}/cancel`, '', who)).status).to.equal(status);
    }
    await pipeline.store.commit([{ kind: 'remove', path: ledgerPath(uuid) }]);
  });

  it('are not told which operator canceled their order, and operators are', async () => {
    const { uuid } = await pipeline.orderThatWaits(ORDER, jack);
    const who = { ...operator, 'saga-operator': 'alice' };
    expect((await pipeline.post(`/sagas/${uuid}/cancel`, { detail: 'Lost' }, who)).status).to.equal(202);
    const failing = { status: 'FAILING', by: 'janitor' };
    const move = async (headers: Record<string, string>) =>
      (await pipeline.get(`/order/${uuid}`, headers)).body.history.find(
        ({ status }: { status: string }) => status === 'FAILING',
      );
    expect(await move(jack))
      .to.include(failing)
      .and.not.to.have.property('person');
    expect(await move(operator)).to.include({ ...failing, person: 'alice' });
    await pipeline.bus.idle();
  });

  it('[anomaly 57] are erased by operators only, not even by themselves', async () => {
    for (const who of [jack, joe])
      expect((await pipeline.delete('/users/jack', who)).status).to.be.oneOf([401, 403]);
    expect((await pipeline.get('/users/jack', jack)).status).to.equal(200);
    expect((await pipeline.delete('/users/nobody', operator)).status).to.equal(404);
  });

  it('[anomaly 39] are listed nothing but their own', async () => {
    await pipeline.order(ORDER, jack);
    await pipeline.order({ ...ORDER, user: 'joe' }, joe);
    const usersIn = async (path: string, who: Record<string, string>) => {
      const { status, body } = await pipeline.get(path, who);
      return status === 200
        ? [...new Set(body.orders.map(({ user }: { user: string }) => user))].sort()
        : status;
    };
    expect(await usersIn('/orders', jack)).to.deep.equal(['jack']);
    expect(await usersIn('/orders?user=jack', jack)).to.deep.equal(['jack']);
    expect(await usersIn('/orders?user=joe', jack)).to.equal(403);
    expect(await usersIn('/orders', operator)).to.deep.equal(['jack', 'joe']);
    expect((await pipeline.get('/users', jack)).status).to.equal(403);
    expect((await pipeline.get('/users', operator)).status).to.equal(200);
    expect((await pipeline.get('/inventory')).status).to.equal(200);
  });

  it('[anomaly 39] are told only what happened to their own orders, and not which operator did it', async () => {
    const { uuid } = await pipeline.orderThatWaits(ORDER, jack);
    const alice = { ...operator, 'saga-operator': 'alice' };
    expect((await pipeline.post(`/sagas/${uuid}/cancel`, { detail: 'Lost' }, alice)).status).to.equal(202);
    await pipeline.bus.idle();
    const failure = async (headers: Record<string, string>) =>
      (await pipeline.get('/users/jack/events', headers)).body.events.find(
        (event: { uuid: string; status: string }) => event.uuid === uuid && event.status === 'FAILING',
      );
    expect(await failure(operator)).to.include({ by: 'janitor', person: 'alice', detail: 'Lost' });
    expect(await failure(jack))
      .to.include({ by: 'janitor', detail: 'Lost' })
      .and.not.to.have.property('person');
    const ofJack = await pipeline.get('/users/jack/events', joe);
    expect(ofJack.status).to.equal(403);
    expect((await pipeline.get('/users/nobody/events', joe)).body).to.deep.equal(ofJack.body);
    expect((await pipeline.get('/users/jack/events')).status).to.equal(401);
  });

  it("[anomaly 39] can't take another's Idempotency-Key", async () => {
    const key = { 'idempotency-key': 'mine' };
    const ofJoe = await pipeline.post('/order', { ...ORDER, user: 'joe' }, { ...joe, ...key });
    const ofJack = await pipeline.post('/order', ORDER, { ...jack, ...key });
    const again = await pipeline.post('/order', ORDER, { ...jack, ...key });
    expect([ofJoe.status, ofJack.status, again.status]).to.deep.equal([202, 202, 202]);
    expect(ofJack.body.uuid).not.to.equal(ofJoe.body.uuid);
    expect(again.body.uuid).to.equal(ofJack.body.uuid);
  });

  it('[anomaly 39] are refused without a token that is good, on every route of theirs', async () => {
    const { uuid } = await pipeline.order(ORDER, jack);
    const expired = await as({ exp: 1 });
    const foreign = await as({ aud: 'elsewhere' });
    const forged = { authorization: `${jack.authorization?.slice(0, -8)}AAAAAAAA` };
    const strange = await as({ iss: 'https://elsewhere.example' });
    const [, claims = ''] = jack.authorization?.split('.') ?? [];
    const headerOf = (alg: string) => Buffer.from(JSON.stringify({ alg })).toString('base64url');
    const unsigned = { authorization: `Bearer ${headerOf('none')}.${claims}.` };
    const shared = { authorization: `Bearer ${headerOf('HS256')}.${claims}.AAAA` };
    const wrong = [
      ...[{}, { authorization: 'Bearer' }, { authorization: 'Basic x' }],
      ...[expired, foreign, strange, forged, unsigned, shared],
    ];
    for (const headers of wrong) {
      for (const path of [
        '/orders',
        '/Orders/',
        `/order/${uuid}`,
        `/payments/${uuid}`,
        '/users',
        '/users/jack',
      ]) {
        const { status, headers: answered } = await pipeline.get(path, headers);
        expect([status, answered.get('www-authenticate')?.slice(0, 6)], path).to.deep.equal([401, 'Bearer']);
      }
      for (const path of ['/order', `/order/${uuid}/cancel`]) {
        expect((await pipeline.post(path, ORDER, headers)).status, path).to.equal(401);
      }
    }
  });

  it("[anomaly 39] do not become operators by a customer's token", async () => {
    expect((await pipeline.post('/sweep', '', jack)).status).to.equal(401);
    expect((await pipeline.get('/audit', await as({ sub: 'operator' }))).status).to.equal(401);
  });

  it('go on with a new key of their issuer, and are asked to try again while it is away', async () => {
    await issuer.rotate();
    const renewed = await as({ sub: 'jack' });
    expect((await pipeline.get('/orders', renewed)).status).to.equal(200);
    issuer.away(true);
    expect((await pipeline.get('/orders', renewed)).status).to.equal(200);
    await issuer.rotate();
    const { status, headers } = await pipeline.get('/orders', await as({ sub: 'jack' }));
    expect([status, headers.get('retry-after')]).to.deep.equal([503, '1']);
    issuer.away(false);
  });
});

describe('Where operators are known by the place they come from, customers', () => {
  for (const by of ['loopback', 'platform'] as const) {
    it(`[anomaly 39] have to show who they are all the same (${by})`, async () => {
      const pipeline = await startPipeline(
        { store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) },
        undefined,
        undefined,
        undefined,
        {
          operators: { by },
          customerIdentity: { issuer: 'http://127.0.0.1:1', audience: AUDIENCE, claim: 'sub' },
        },
      );
      try {
        expect((await pipeline.get('/orders')).status).to.equal(401);
        expect((await pipeline.post('/sweep', '')).status).to.equal(200);
        const { status } = await pipeline.get('/orders', { authorization: 'Bearer a.b.c' });
        expect(status).to.equal(503);
      } finally {
        await pipeline.close();
      }
    });
  }
});
