import { expect } from 'chai';
import { createOrder } from '../order/create-order.ts';
import { pipeline } from '../pipeline.ts';
import { DELIVERIES_MAX } from '../saga/deliver/runner.ts';
import { type ServiceSettings, serviceOf } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { ledgerPath } from '../saga/ledger/ledger.ts';
import type { Post, PostRequest } from '../saga/ports/post.ts';
import { defineSaga, type Saga } from '../saga/step/saga.ts';
import { aDelivery, aLedgerThatIs, SETTINGS, UUID, uuidOf } from '../test/support/builders.ts';
import { type RecordedPorts, recordedPorts } from '../test/support/recorded-ports.ts';
import { BATCH_MS, POSTS_MAX } from './notify.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const ON: ServiceSettings = {
  ...SETTINGS,
  declared: {
    ...SETTINGS.declared,
    WEBHOOK_URL: 'https://shop.example/hooks/path-that-is-a-secret',
    WEBHOOK_SECRET: SECRET,
  },
};
const TOPIC = pipeline.end.topic;

/** What the notifier made of these messages. */
async function notify(
  ports: RecordedPorts,
  deliveries: Parameters<ReturnType<typeof processOf>>[0],
  post: Post,
  topic: string = TOPIC,
): Promise<void> {
  await processOf({ ...ports, post }, topic)(deliveries);
}

function processOf(ports: RecordedPorts, topic: string, settings = ON, saga: Saga = pipeline) {
  const { consumers } = serviceOf(saga, 'notifier', ports, settings);
  const process = consumers.find((one) => one.topic === topic)?.process;
  if (process === undefined) throw new Error(`The notifier does not read ${topic}`);
  return process;
}

/** A receiver that notes what it gets. */
function receiver(answer: (request: PostRequest) => Promise<number> | number = () => 204) {
  const got: string[] = [];
  const post: Post = async (request) => {
    got.push(request.headers['webhook-id'] ?? '');
    return answer(request);
  };
  return { got, post };
}

const canceled = (uuid = UUID) => ({ [ledgerPath(uuid)]: aLedgerThatIs('CANCELED', { uuid }) });
const settledOf = (deliveries: readonly { readonly settled: unknown }[]) =>
  deliveries.map(({ settled }) => settled);
const outcomesIn = ({ logged }: RecordedPorts) => logged.map(({ outcome, error }) => error ?? outcome);

describe('The notifier', () => {
  it('tells of an order once it has come to its end, and is done with the message', async () => {
    const ports = await recordedPorts(canceled());
    const { got, post } = receiver();
    const delivery = aDelivery({ uuid: UUID });
    await notify(ports, [delivery], post);
    expect(got).to.deep.equal([`${UUID}/${TOPIC}`]);
    expect(delivery.settled).to.equal('acked');
    expect(outcomesIn(ports)).to.deep.equal(['notified']);
  });

  it('[anomaly 22] sends what the ledger says, whatever the message claims', async () => {
    const ports = await recordedPorts(canceled());
    const bodies: string[] = [];
    await notify(
      ports,
      [aDelivery({ uuid: UUID, status: 'PAID', user: 'mallory', reason: 'none' })],
      (request) => {
        bodies.push(request.body);
        return Promise.resolve(200);
      },
    );
    expect(bodies).to.have.length(1);
    expect(JSON.parse(bodies[0] ?? '').data).to.include({ user: 'jack', status: 'CANCELED' });
    expect(bodies[0]).not.to.contain('mallory');
  });

  for (const status of pipeline.statuses.filter((one) => one !== 'CANCELED')) {
    it(`sends nothing where a message says that an order is canceled, and its ledger that it is ${status}`, async () => {
      const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedgerThatIs(status) });
      const { got, post } = receiver();
      const delivery = aDelivery({ uuid: UUID });
      await notify(ports, [delivery], post);
      expect([got, delivery.settled, outcomesIn(ports)]).to.deep.equal([[], 'acked', ['ignored']]);
    });
  }

  it('[anomaly 22] parks what names no order that there is, or none at all, and sends nothing', async () => {
    const ports = await recordedPorts();
    const { got, post } = receiver();
    const deliveries = [aDelivery({ uuid: UUID }), aDelivery({}), aDelivery(Buffer.from('no JSON'))];
    await notify(ports, deliveries, post);
    expect([got, settledOf(deliveries)]).to.deep.equal([[], ['acked', 'acked', 'acked']]);
    expect(ports.published.map(({ attributes }) => attributes['saga-park-reason'])).to.have.members([
      'No order has the uuid of the message',
      'The message has no uuid',
      'The message is not JSON',
    ]);
  });

  it('[anomaly 25] hands a message back unless the receiver has said yes, and tells again under the same id', async () => {
    const ports = await recordedPorts(canceled());
    const answers = [500, 302, 429, 'No whole answer came within 300 ms', 204] as const;
    const { got, post } = receiver(() => {
      const answer = answers[got.length - 1] ?? 204;
      if (typeof answer === 'string') throw new Error(answer);
      return answer;
    });
    for (const [index, answer] of answers.entries()) {
      const delivery = aDelivery({ uuid: UUID }, { attempt: index + 1 });
      await notify(ports, [delivery], post);
      expect(delivery.settled, String(answer)).to.equal(answer === 204 ? 'acked' : 'nacked');
    }
    expect(new Set(got)).to.deep.equal(new Set([`${UUID}/${TOPIC}`]));
    expect(outcomesIn(ports)).to.deep.equal([
      'The receiver answered 500',
      'The receiver answered 302',
      'The receiver answered 429',
      'No whole answer came within 300 ms',
      'notified',
    ]);
  });

  it('[anomaly 12] parks in the end what the receiver never takes, with its last answer', async () => {
    const ports = await recordedPorts(canceled());
    const delivery = aDelivery({ uuid: UUID }, { attempt: DELIVERIES_MAX });
    await notify(ports, [delivery], receiver(() => 500).post);
    expect(delivery.settled).to.equal('acked');
    expect(
      ports.published.map(({ topic, attributes }) => [topic, attributes['saga-park-reason']]),
    ).to.deep.equal([['dead-letter', 'It failed at every delivery: The receiver answered 500']]);
  });

  it('does not insist where the receiver is gone for good, and warns people', async () => {
    const ports = await recordedPorts(canceled());
    const delivery = aDelivery({ uuid: UUID });
    await notify(ports, [delivery], receiver(() => 410).post);
    expect(delivery.settled).to.equal('acked');
    expect(ports.logged.map(({ severity, message }) => [severity, message])).to.deep.equal([
      ['WARNING', 'notifier: the receiver is gone (410): set another WEBHOOK_URL, or none'],
      ['INFO', 'notifier: unwanted'],
    ]);
  });

  it('[anomaly 31] hands everything back while the store does not answer, or where a ledger can not be right', async () => {
    const ports = await recordedPorts({
      ...canceled(),
      [ledgerPath(uuidOf(2))]: { ...aLedgerThatIs('CANCELED'), history: [] },
    });
    const { got, post } = receiver();
    const deliveries = [aDelivery({ uuid: UUID }), aDelivery({ uuid: uuidOf(2) })];
    await notify(ports, deliveries, post);
    expect([got, settledOf(deliveries)]).to.deep.equal([[`${UUID}/${TOPIC}`], ['acked', 'nacked']]);
    const away = [aDelivery({ uuid: UUID })];
    const store = { ...ports.store, read: () => Promise.reject(new Error('The store is away')) };
    await processOf({ ...ports, store, post } as RecordedPorts, TOPIC)(away);
    expect(settledOf(away)).to.deep.equal(['nacked']);
    expect(got).to.have.length(1);
  });

  it('tells once of an order that a batch names twice, and of some orders at once', async () => {
    const uuids = Array.from({ length: 3 * POSTS_MAX }, (_, index) => uuidOf(index));
    const ports = await recordedPorts(Object.assign({}, ...uuids.map(canceled)));
    let atOnce = 0;
    let atOnceMost = 0;
    const { got, post } = receiver(async () => {
      atOnceMost = Math.max(atOnceMost, ++atOnce);
      await new Promise(setImmediate);
      atOnce--;
      return 200;
    });
    const deliveries = [...uuids, ...uuids].map((uuid) => aDelivery({ uuid }));
    await notify(ports, deliveries, post);
    expect(got).to.have.members(uuids.map((uuid) => `${uuid}/${TOPIC}`));
    expect(new Set(settledOf(deliveries))).to.deep.equal(new Set(['acked']));
    expect(atOnceMost).to.equal(POSTS_MAX);
  });

  it('[anomaly 33] begins no notification so late that its message would be held for long', async () => {
    const uuids = Array.from({ length: POSTS_MAX + 1 }, (_, index) => uuidOf(index));
    const ports = await recordedPorts(Object.assign({}, ...uuids.map(canceled)));
    const { got, post } = receiver(
      () => new Promise((resolve) => void ports.clock.after(BATCH_MS + 1, () => resolve(200))),
    );
    const deliveries = uuids.map((uuid) => aDelivery({ uuid }));
    await ports.clock.finish(notify(ports, deliveries, post));
    expect(got).to.have.length(POSTS_MAX);
    expect(settledOf(deliveries)).to.deep.equal([...Array(POSTS_MAX).fill('acked'), 'nacked']);
  });

  it('says nowhere with what it signs, nor where it sends', async () => {
    const ports = await recordedPorts(canceled());
    for (const answer of [200, 410, 500]) {
      await notify(ports, [aDelivery({ uuid: UUID })], receiver(() => answer).post);
    }
    serviceOf(pipeline, 'notifier', { ...ports, post: receiver().post }, ON).start?.();
    const said = JSON.stringify([ports.logged, ports.published]);
    expect(said).to.contain('sends to WEBHOOK_URL');
    expect(said).not.to.match(/whsec_|path-that-is-a-secret/);
    expect(said).not.to.contain(SECRET.slice('whsec_'.length));
  });

  it('is off without a URL: it says so once, and is done with every message that can be read', async () => {
    const ports = await recordedPorts(canceled());
    const service = serviceOf(pipeline, 'notifier', ports, SETTINGS);
    service.start?.();
    const deliveries = [aDelivery({ uuid: UUID }), aDelivery(Buffer.from('no JSON'))];
    await processOf(ports, TOPIC, SETTINGS)(deliveries);
    expect(settledOf(deliveries)).to.deep.equal(['acked', 'acked']);
    expect(ports.logged.map(({ severity, message }) => `${severity} ${message}`)).to.deep.equal([
      'INFO notifier: off: there is no WEBHOOK_URL',
      'WARNING notifier: parked',
    ]);
    expect(ports.published.map(({ topic, data }) => [topic, data.toString()])).to.deep.equal([
      ['dead-letter', 'no JSON'],
    ]);
  });

  it('[anomaly 26] does not start if it could not sign, or not send', async () => {
    const ports = await recordedPorts();
    const unsigned = { ...ON, declared: { ...ON.declared, WEBHOOK_SECRET: undefined } };
    const { post } = receiver();
    expect(() => serviceOf(pipeline, 'notifier', { ...ports, post }, unsigned)).to.throw(
      /^WEBHOOK_SECRET is missing: with WEBHOOK_URL, it signs what is sent$/,
    );
    expect(() => serviceOf(pipeline, 'notifier', ports, ON)).to.throw(
      'There is a WEBHOOK_URL, but nothing may be sent from here',
    );
  });

  describe('where a step was put behind the last one', () => {
    const [, ...rest] = pipeline.steps;
    const announced = createOrder.announces;
    // The first step was the last one, once.
    const longer: Saga = defineSaga({
      ...pipeline,
      steps: [createOrder, ...rest] as never,
      subscriptions: { ...pipeline.subscriptions, [`${announced}-notifier-sub`]: 'notifier' },
    });

    it('keeps the subscription that it had, and sends nothing for what still waits there', async () => {
      const { subscriptions } = topologyOf(longer);
      expect(subscriptions[`${announced}-notifier-sub`]).to.include({
        topic: announced,
        service: 'notifier',
      });
      const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedgerThatIs('CREATED') });
      const { got, post } = receiver();
      const delivery = aDelivery({ uuid: UUID });
      await processOf({ ...ports, post } as RecordedPorts, announced, ON, longer)([delivery]);
      expect([got, delivery.settled]).to.deep.equal([[], 'acked']);
    });
  });
});
