import { expect } from 'chai';
import type { Topology } from '../../saga/deliver/topology.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../saga/ports/bus.ts';

export const settings = {
  ackDeadlineSeconds: 10,
  retentionDays: 1,
  retry: { minBackoffSeconds: 0, maxBackoffSeconds: 0.1 },
};
/** The topics and subscriptions that a broker needs for the contract. */
export const BUS_TOPOLOGY: Topology = {
  topics: ['orders', 'refusals', 'parked'],
  subscriptions: {
    'orders-sub': { topic: 'orders', ...settings },
    'orders-copy-sub': { topic: 'orders', ...settings },
    'refusals-sub': {
      topic: 'refusals',
      ...settings,
      deadLetter: { topic: 'parked', maxDeliveryAttempts: 5 },
    },
    'parked-sub': { topic: 'parked', ...settings },
  },
};

/** A broker with the topics and subscriptions above, and a way for tests to wait for it. */
export interface Broker {
  readonly bus: Bus;
  /** Waits for `work`. If the test controls the clock, moves the clock on meanwhile. */
  wait<T>(work: Promise<T>): Promise<T>;
}

export const message = (
  topic: string,
  text: string,
  attributes: Readonly<Record<string, string>> = {},
): OutgoingMessage => ({ topic, data: Buffer.from(text), attributes });
export const textOf = ({ data }: Delivery): string => data.toString();
export const withAttempt = (delivery: Delivery): string =>
  `${textOf(delivery)} at attempt ${delivery.attempt}`;
export const ack = (delivery: Delivery): void => delivery.ack();
export const nack = (delivery: Delivery): void => delivery.nack();
export const hold = (): void => {};

/** Reads a subscription, and keeps what it delivers. */
export function read(bus: Bus, subscription: string, onDelivery = ack, outstandingMax = 100) {
  const deliveries: Delivery[] = [];
  let onChange = (): void => {};
  let onFailure = (_error: Error): void => {};
  const failed = new Promise<Error>((resolve) => {
    onFailure = resolve;
  });
  const open = bus.subscribe(
    subscription,
    outstandingMax,
    (delivery) => {
      deliveries.push(delivery);
      onDelivery(delivery);
      onChange();
    },
    (error) => onFailure(error),
  );
  return {
    deliveries,
    failed,
    /** The first deliveries, as soon as there are that many. One caller at a time. */
    received(count: number): Promise<Delivery[]> {
      return new Promise((resolve) => {
        onChange = () => {
          if (deliveries.length >= count) resolve(deliveries.slice(0, count));
        };
        onChange();
      });
    },
    close: (timeoutMs = 5_000) => open.close(timeoutMs),
  };
}
export type Reading = ReturnType<typeof read>;

/** How long `work` took, in milliseconds. */
export async function durationMs(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

/**
 * The contract of a bus: what the comments of `saga/ports/bus.ts` promise, as tests for mocha.
 * @param name of the implementation, for the titles.
 * @param open returns a broker with the topics and subscriptions of BUS_TOPOLOGY and no messages; called in hooks, whose
 * context it may skip.
 * @param others tests that only this implementation can pass.
 */
export function busContract(
  name: string,
  open: (context: Mocha.Context) => Promise<Broker>,
  others: () => void = () => {},
): void {
  describe(`The bus on ${name}`, function () {
    // How long a broker takes to give a message up is its own affair, and longer on a busy machine.
    this.timeout(60_000);
    /** What takes the emulator seconds is begun before all other tests, and judged after them. */
    let abandoned: Promise<string[]>;
    let refused: ReturnType<typeof refuse>;
    let slowBrokers: Broker[] = [];
    before(async function () {
      const [first, second] = await Promise.all([open(this), open(this)]);
      slowBrokers = [first, second];
      abandoned = abandon(first);
      refused = refuse(second);
      // Their tests await them later; until then Node must not take a failure for an unexpected one.
      for (const work of [abandoned, refused]) work.catch(() => {});
    });
    after(async () => {
      await Promise.allSettled([abandoned, refused]);
      await Promise.all(slowBrokers.map(({ bus }) => bus.close()));
    });

    let broker: Broker;
    let readings: Reading[] = [];
    beforeEach(async function () {
      broker = await open(this);
    });
    afterEach(async () => {
      await broker.wait(Promise.all(readings.map((reading) => reading.close(0))));
      readings = [];
      await broker.bus.close();
    });
    const reader = (...[subscription, onDelivery, outstandingMax]: OmitBus<Parameters<typeof read>>) => {
      const reading = read(broker.bus, subscription, onDelivery, outstandingMax);
      readings.push(reading);
      return reading;
    };
    /** Publishes texts to a topic; all of them must get through. */
    async function publish(topic: string, ...texts: string[]): Promise<void> {
      const results = await broker.bus.publish(texts.map((text) => message(topic, text)));
      expect(results).to.deep.equal(texts.map(() => undefined));
    }
    /** The texts of the next deliveries, in the order of the alphabet: the bus promises no other. */
    async function texts(reading: Reading, count: number): Promise<string[]> {
      return (await broker.wait(reading.received(count))).map(textOf).toSorted();
    }

    describe('publish', () => {
      it('gives each subscription of the topic its own copy of each message, and no other subscription', async () => {
        const [first, second, other] = [
          reader('orders-sub'),
          reader('orders-copy-sub'),
          reader('refusals-sub'),
        ];
        await publish('orders', '1', '2', '3');
        await publish('refusals', 'other');
        expect(await texts(first, 3)).to.deep.equal(['1', '2', '3']);
        expect(await texts(second, 3)).to.deep.equal(['1', '2', '3']);
        expect(await texts(other, 1)).to.deep.equal(['other']);
        expect([first, second, other].map(({ deliveries }) => deliveries.length)).to.deep.equal([3, 3, 1]);
      });

      it('keeps messages until somebody reads the subscription', async () => {
        await publish('orders', '1', '2');
        expect(await texts(reader('orders-sub'), 2)).to.deep.equal(['1', '2']);
      });

      it('delivers data and attributes unchanged, whatever their bytes', async () => {
        const attributes = {
          'ce-id': '1/orders',
          ключ: 'Grüße, 世界 🎁',
          empty: '',
          long: 'x'.repeat(1024),
          '{{projectId}}': '{{projectId}}',
        };
        const contents: Pick<OutgoingMessage, 'data' | 'attributes'>[] = [
          { data: Buffer.from('{"text":"Grüße, 世界 🎁\\u0000"}'), attributes },
          { data: Buffer.from(Array.from({ length: 512 }, (_, byte) => byte % 256)), attributes: {} },
          { data: Buffer.alloc(0), attributes: { only: 'attributes' } },
          { data: Buffer.alloc(300_000, 'large'), attributes: { size: 'large' } },
        ];
        const reading = reader('orders-sub');
        for (const [index, content] of contents.entries()) {
          expect(await broker.bus.publish([{ topic: 'orders', ...content }])).to.deep.equal([undefined]);
          const delivery = (await broker.wait(reading.received(index + 1)))[index];
          expect(delivery?.data.equals(content.data)).to.equal(true);
          expect(delivery?.attributes).to.deep.equal(content.attributes);
        }
      });

      it('says by which subscription a message arrives', async () => {
        await publish('orders', '1');
        const [delivery] = await broker.wait(reader('orders-sub').received(1));
        expect(delivery?.subscription).to.equal('orders-sub');
      });

      it('takes a copy: what becomes of the buffer after it changes nothing', async () => {
        const outgoing = message('orders', 'as published');
        await broker.bus.publish([outgoing]);
        outgoing.data.fill('x');
        expect(await texts(reader('orders-sub'), 1)).to.deep.equal(['as published']);
      });

      it('gives each subscription bytes of its own', async () => {
        const spoiling = reader('orders-sub', (delivery) => delivery.data.fill('x'));
        await publish('orders', 'as published');
        await broker.wait(spoiling.received(1));
        expect(await texts(reader('orders-copy-sub'), 1)).to.deep.equal(['as published']);
      });

      it('[anomaly 2] makes two messages of one fact that is published twice', async () => {
        const reading = reader('orders-sub');
        const fact = message('orders', 'fact', { 'ce-id': '1/orders' });
        await broker.bus.publish([fact, fact]);
        const ids = (await broker.wait(reading.received(2))).map(({ messageId }) => messageId);
        expect(new Set(ids).size).to.equal(2);
        expect(ids).not.to.include('');
      });

      it('says when a message was published', async () => {
        const reading = reader('orders-sub');
        await publish('orders', '1');
        const [first] = await broker.wait(reading.received(1));
        await broker.wait(publish('orders', '2'));
        const [, second] = await broker.wait(reading.received(2));
        expect(first?.publishTime).to.be.an.instanceOf(Date);
        expect(Number(second?.publishTime)).to.be.at.least(Number(first?.publishTime));
        expect(Number(first?.publishTime)).to.be.above(0);
      });

      it('[anomaly 26] reports an error for a message whose topic does not exist, and for that one alone', async () => {
        const reading = reader('orders-sub');
        const results = await broker.bus.publish([
          message('orders', '1'),
          message('no-topic', '2'),
          message('orders', '3'),
        ]);
        expect(results.map((result) => result instanceof Error)).to.deep.equal([false, true, false]);
        expect(await texts(reading, 2)).to.deep.equal(['1', '3']);
      });

      it('[anomaly 23] reports an error for a message that the broker refuses, and for that one alone', async () => {
        const reading = reader('orders-sub');
        const results = await broker.bus.publish(['1', '', '3'].map((text) => message('orders', text)));
        expect(results.map((result) => result instanceof Error)).to.deep.equal([false, true, false]);
        expect(await texts(reading, 2)).to.deep.equal(['1', '3']);
        expect(await broker.bus.publish([message('orders', '')])).to.have.nested.property('[0].message');
      });

      it('takes more messages, and larger ones, than one request may have', async () => {
        const reading = reader('orders-sub', ack, 2000);
        const many = Array.from({ length: 1_100 }, (_, index) => message('orders', String(index)));
        expect(new Set(await broker.bus.publish(many))).to.deep.equal(new Set([undefined]));
        await broker.wait(reading.received(1_100));
        const large = Array.from({ length: 12 }, () => message('orders', 'x'.repeat(1_000_000)));
        expect(new Set(await broker.bus.publish(large))).to.deep.equal(new Set([undefined]));
        await broker.wait(reading.received(1_112));
      });

      it('does nothing for no messages', async () => {
        expect(await broker.bus.publish([])).to.deep.equal([]);
      });
    });

    describe('a delivery', () => {
      it('[anomaly 20] that was acked does not come again, whatever is called afterwards', async () => {
        const reading = reader('orders-sub', (delivery) => {
          delivery.ack();
          delivery.nack();
          delivery.ack();
        });
        await publish('orders', 'once');
        await broker.wait(reading.received(1));
        await broker.wait(reading.close());
        const next = reader('orders-sub');
        await publish('orders', 'then');
        await broker.wait(next.received(1));
        await publish('orders', 'at last');
        expect(await texts(next, 2)).to.deep.equal(['at last', 'then']);
      });

      it('[anomaly 1] that was nacked comes again, as the same message, whatever is called afterwards', async () => {
        const reading = reader('orders-sub', (delivery) => {
          if (reading.deliveries.length > 1) return delivery.ack();
          delivery.nack();
          delivery.ack();
        });
        await broker.bus.publish([message('orders', 'twice', { key: 'value' })]);
        const [first, second] = await broker.wait(reading.received(2));
        const factOf = (delivery?: Delivery) => ({
          ...delivery,
          data: delivery?.data.toString(),
          publishTime: Number(delivery?.publishTime),
          attempt: 'not counted',
          ack: undefined,
          nack: undefined,
        });
        expect(factOf(second)).to.deep.equal(factOf(first));
        expect(first?.attempt).to.equal(1);
        expect(second?.attempt).to.be.at.least(1);
      });

      it('[anomaly 1] is counted where the subscription has a dead-letter policy', async () => {
        const reading = reader('refusals-sub', (delivery) =>
          delivery.attempt < 2 ? delivery.nack() : delivery.ack(),
        );
        await publish('refusals', 'twice');
        expect((await broker.wait(reading.received(2))).map(withAttempt)).to.deep.equal([
          'twice at attempt 1',
          'twice at attempt 2',
        ]);
      });

      it('[anomaly 23] that is nacked again and again does not hold up the others', async () => {
        const reading = reader('orders-sub', (delivery) =>
          (textOf(delivery) === 'bad' ? nack : ack)(delivery),
        );
        const good = () => reading.deliveries.map(textOf).filter((text) => text !== 'bad');
        await publish('orders', 'bad');
        await broker.wait(reading.received(1));
        for (const text of ['1', '2', '3']) {
          await publish('orders', text);
          while (!good().includes(text)) await broker.wait(reading.received(reading.deliveries.length + 1));
        }
        expect(good()).to.deep.equal(['1', '2', '3']);
      });

      it('goes to one of the readers of its subscription', async () => {
        const both = [reader('orders-sub'), reader('orders-sub')];
        const many = Array.from({ length: 20 }, (_, n) => String(n).padStart(2, '0'));
        await publish('orders', ...many);
        const all = () => both.flatMap(({ deliveries }) => deliveries.map(textOf));
        while (all().length < many.length) {
          await broker.wait(Promise.race(both.map((one) => one.received(one.deliveries.length + 1))));
        }
        expect(all().toSorted()).to.deep.equal(many);
      });
    });

    describe('subscribe', () => {
      it('[anomaly 26] tells of a subscription that does not exist, and names it', async () => {
        const reading = reader('no-sub');
        expect((await broker.wait(reading.failed)).message).to.include('no-sub');
        await broker.wait(reading.close());
        expect(reading.deliveries).to.deep.equal([]);
      });
    });

    describe('missing', () => {
      it('[anomaly 26] names exactly the topics and subscriptions that do not exist', async () => {
        const { topics, subscriptions } = BUS_TOPOLOGY;
        const names = Object.keys(subscriptions);
        expect(await broker.bus.missing(topics, names)).to.deep.equal([]);
        expect(await broker.bus.missing([], [])).to.deep.equal([]);
        const asked = [
          [...topics, 'no-topic', 'orders-sub'],
          [...names, 'no-sub', 'orders'],
        ] as const;
        expect(await broker.bus.missing(...asked)).to.have.members([
          'no-topic',
          'orders-sub',
          'no-sub',
          'orders',
        ]);
      });
    });

    describe('close', () => {
      it('[anomaly 35] waits until everything that was handed out is acked or nacked', async () => {
        const reading = reader('orders-sub', hold);
        await publish('orders', '1', '2');
        const [one, two] = await broker.wait(reading.received(2));
        let closed = false;
        const closing = reading.close().then(() => {
          closed = true;
        });
        one?.ack();
        // A round trip to the broker, in which the ack has got through.
        await broker.bus.missing(BUS_TOPOLOGY.topics, []);
        expect(closed).to.equal(false);
        two?.nack();
        await broker.wait(closing);
        const next = reader('orders-sub');
        expect(await texts(next, 1)).to.deep.equal([two && textOf(two)]);
      });

      it('[anomaly 35] takes nothing more: the next reader gets it', async () => {
        const reading = reader('orders-sub');
        await publish('orders', 'early');
        await broker.wait(reading.received(1));
        await broker.wait(reading.close());
        await publish('orders', 'late');
        expect(await texts(reader('orders-sub'), 1)).to.deep.equal(['late']);
        expect(reading.deliveries.map(textOf)).to.deep.equal(['early']);
      });

      it('[anomaly 35] leaves what was nacked to the next reader', async () => {
        const reading = reader('orders-sub', hold);
        await publish('orders', '1', '2', '3');
        await broker.wait(reading.received(3));
        const closing = reading.close();
        reading.deliveries.forEach(nack);
        await broker.wait(closing);
        expect(await texts(reader('orders-sub'), 3)).to.deep.equal(['1', '2', '3']);
      });

      it('[anomaly 35] waits no longer than it may, and what is then open comes again', async () => {
        const reading = reader('orders-sub', hold);
        await publish('orders', 'open');
        await broker.wait(reading.received(1));
        await broker.wait(reading.close(1_100));
        expect(await texts(reader('orders-sub'), 1)).to.deep.equal(['open']);
      });

      it('may be called again', async () => {
        const reading = reader('orders-sub');
        await broker.wait(reading.close());
        await broker.wait(reading.close());
      });
    });

    others();

    describe('in the end', () => {
      it('[anomaly 20] what was neither acked nor nacked comes again after its ack deadline', async () => {
        expect(await abandoned).to.deep.equal(['abandoned at attempt 1', 'abandoned at attempt 2']);
      });

      it('[anomaly 22] what was nacked at every delivery goes to the dead-letter topic, and says from where', async () => {
        const { attempts, letter, rest } = await refused;
        expect(attempts).to.deep.equal([1, 2, 3, 4, 5].map((attempt) => `poison at attempt ${attempt}`));
        expect(letter && textOf(letter)).to.equal('poison');
        expect(letter?.attributes).to.deep.include({
          key: 'value',
          CloudPubSubDeadLetterSourceSubscription: 'refusals-sub',
          CloudPubSubDeadLetterSourceDeliveryCount: '5',
        });
        expect(rest).to.deep.equal([1, 2, 3].map((attempt) => `else at attempt ${attempt}`));
      });
    });
  });
}

type OmitBus<T extends unknown[]> = T extends [Bus, ...infer Rest] ? Rest : never;

/** A reader dies with a message in its hands; another one comes. */
async function abandon({ bus, wait }: Broker): Promise<string[]> {
  await bus.publish([message('refusals', 'abandoned')]);
  const dying = read(bus, 'refusals-sub', hold);
  const first = await wait(dying.received(1));
  await wait(dying.close(0));
  const next = read(bus, 'refusals-sub');
  const second = await wait(next.received(1));
  await wait(next.close());
  return [...first, ...second].map(withAttempt);
}

/** A reader nacks a message whenever it comes; then another one reads what is left. */
async function refuse({ bus, wait }: Broker) {
  const parked = read(bus, 'parked-sub');
  const refusing = read(bus, 'refusals-sub', nack);
  await bus.publish([message('refusals', 'poison', { key: 'value' })]);
  const [letter] = await wait(parked.received(1));
  await wait(refusing.close());
  // Something else comes three times, which gives the poison time to come again, too.
  const next = read(bus, 'refusals-sub', (delivery) => (delivery.attempt < 3 ? nack : ack)(delivery));
  await bus.publish([message('refusals', 'else')]);
  await wait(next.received(3));
  await wait(Promise.all([next.close(), parked.close()]));
  return {
    attempts: refusing.deliveries.map(withAttempt),
    letter,
    rest: next.deliveries.map(withAttempt),
  };
}

/** Only a clock that a test holds shows these in no time. */
