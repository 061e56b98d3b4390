import { expect } from 'chai';
import { createPubSubBus } from '../../adapters/google/pubsub-bus.ts';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import type { SubscriptionSettings } from '../../saga/deliver/topology.ts';
import type { Bus } from '../../saga/ports/bus.ts';
import { pause } from '../../saga/ports/clock.ts';
import {
  BUS_TOPOLOGY,
  busContract,
  durationMs,
  hold,
  message,
  nack,
  type Reading,
  read,
  settings,
  textOf,
  withAttempt,
} from '../../test-kit/contracts/bus-contract.ts';
import { NOW } from '../support/builders.ts';
import { type Door, hangDoor } from '../support/door.ts';
import { emulatedBus, freshProjectId, requireEmulators } from '../support/emulators.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

busContract(
  'the embedded engine',
  async () => {
    const clock = createManualClock();
    return { bus: createMemoryBus(BUS_TOPOLOGY, clock), wait: clock.finish };
  },
  describeTime,
);
busContract(
  'Pub/Sub',
  async (context) => ({ bus: await emulatedBus(context, BUS_TOPOLOGY), wait: (work) => work }),
  describeConnections,
);

function describeTime(): void {
  describe('as time goes by', () => {
    let clock: ManualClock;
    let bus: Bus;
    const opened = (changes: Partial<SubscriptionSettings> = {}) => {
      clock = createManualClock();
      const subscriptions = {
        'orders-sub': { topic: 'orders', ...settings, ...changes },
        'parked-sub': { topic: 'parked', ...settings },
      };
      bus = createMemoryBus({ topics: ['orders', 'parked'], subscriptions }, clock);
    };
    afterEach(() => bus.close());
    const publish = (...texts: string[]) => bus.publish(texts.map((text) => message('orders', text)));
    const secondsPassed = () => (clock.now().getTime() - NOW.getTime()) / 1000;

    // Pub/Sub's emulator knows no flow control, and Google's flow control is only a wish.
    it('hands out no more than a reader may have, and more as soon as something is settled', async () => {
      opened();
      const reading = read(bus, 'orders-sub', hold, 2);
      await publish('1', '2', '3', '4', '5');
      const inHand = async () => {
        await clock.finish(Promise.resolve());
        return reading.deliveries.map(textOf);
      };
      expect(await inHand()).to.deep.equal(['1', '2']);
      reading.deliveries[0]?.ack();
      expect(await inHand()).to.deep.equal(['1', '2', '3']);
      reading.deliveries[1]?.ack();
      reading.deliveries[2]?.nack();
      expect(await inHand()).to.deep.equal(['1', '2', '3', '4', '5']);
    });

    it('[anomaly 20] delivers again when the ack deadline has passed, not earlier, and counts that', async () => {
      opened({ ackDeadlineSeconds: 20 });
      const times: number[] = [];
      const reading = read(bus, 'orders-sub', () => times.push(secondsPassed()));
      await publish('held');
      expect((await clock.finish(reading.received(3))).map(({ attempt }) => attempt)).to.deep.equal([
        1, 2, 3,
      ]);
      expect(times).to.deep.equal([0, 20, 40]);
    });

    it('[anomaly 20] never delivers again what was acked in time', async () => {
      opened();
      const reading = read(bus, 'orders-sub', (delivery) => clock.after(9_999, () => delivery.ack()));
      await publish('once');
      await clock.finish(pause(clock, 24 * 60 * 60 * 1000));
      expect(reading.deliveries.map(withAttempt)).to.deep.equal(['once at attempt 1']);
    });

    it('[anomaly 34] waits longer before each redelivery of what was nacked, up to the maximum', async () => {
      opened({ retry: { minBackoffSeconds: 1, maxBackoffSeconds: 4 } });
      const times: number[] = [];
      const reading = read(bus, 'orders-sub', (delivery) => {
        times.push(secondsPassed());
        delivery.nack();
      });
      await publish('bad');
      await clock.finish(reading.received(5));
      expect(times).to.deep.equal([0, 1, 3, 7, 11]);
    });

    it('[anomaly 22] sends what nobody settles in time to the dead-letter topic, too', async () => {
      opened({ deadLetter: { topic: 'parked', maxDeliveryAttempts: 5 } });
      const reading = read(bus, 'orders-sub', hold);
      const parked = read(bus, 'parked-sub');
      await publish('never settled');
      const [letter] = await clock.finish(parked.received(1));
      expect(letter?.attributes).to.deep.include({ CloudPubSubDeadLetterSourceDeliveryCount: '5' });
      expect(secondsPassed()).to.equal(5 * settings.ackDeadlineSeconds);
      expect(reading.deliveries).to.have.length(5);
    });

    it('[anomaly 35] closes exactly when its time is over', async () => {
      opened();
      const reading = read(bus, 'orders-sub', hold);
      await publish('open');
      await clock.finish(reading.received(1));
      await clock.finish(reading.close(8_000));
      expect(secondsPassed()).to.equal(8);
    });
  });
}

/** Only a broker behind a network can be away. */
function describeConnections(): void {
  describe('while the broker is away', () => {
    const PUBLISH_TIMEOUT_MS = 500;
    let door: Door;
    let bus: Bus;
    let reading: Reading | undefined;
    before(async function () {
      const { pubsubHost } = await requireEmulators(this);
      const projectId = freshProjectId();
      await (await emulatedBus(this, BUS_TOPOLOGY, projectId)).close();
      door = await hangDoor(pubsubHost);
      bus = door.inFrontOf('PUBSUB_EMULATOR_HOST', () =>
        createPubSubBus({ projectId, publishTimeoutMs: PUBLISH_TIMEOUT_MS }),
      );
    });
    after(async () => {
      // Its acks get through first: the client would repeat them for minutes, and keep the process from ending.
      await reading?.close();
      await bus?.close();
      await door?.remove();
    });
    const publish = (text: string) => bus.publish([message('orders', text), message('orders', text)]);

    it('[anomaly 37] reports an error for each message within a bounded time', async () => {
      const publishing = publish('lost');
      expect(await durationMs(publishing)).to.be.below(PUBLISH_TIMEOUT_MS + 3_000);
      expect((await publishing).map((result) => result instanceof Error)).to.deep.equal([true, true]);
    });

    // The subscription is opened while the broker is away: one that was cut off can't be shown to resume in seconds,
    // because the emulator goes on for a while to hand messages to the dead connection, each for its ack deadline.
    it('[anomaly 37] publishes and delivers by itself when the broker is there', async () => {
      reading = read(bus, 'orders-sub');
      expect((await publish('lost')).map((result) => result instanceof Error)).to.deep.equal([true, true]);
      door.open();
      while ((await publish('after')).some((result) => result !== undefined));
      while (!reading.deliveries.some((delivery) => textOf(delivery) === 'after')) {
        await reading.received(reading.deliveries.length + 1);
      }
    });
  });

  it('[anomaly 35] finishes what is being published before it closes', async function () {
    const projectId = freshProjectId();
    const closing = await emulatedBus(this, BUS_TOPOLOGY, projectId);
    // The empty message is refused and spoils the request, so that the others need a second one.
    const publishing = closing.publish(['1', '', '3'].map((text) => message('orders', text)));
    await closing.close();
    expect((await publishing).map((result) => result instanceof Error)).to.deep.equal([false, true, false]);
    const bus = await emulatedBus(this, BUS_TOPOLOGY, projectId);
    const reading = read(bus, 'orders-sub');
    expect((await reading.received(2)).map(textOf).toSorted()).to.deep.equal(['1', '3']);
    await reading.close();
    await bus.close();
  });

  describe('after a nack', () => {
    let bus: Bus;
    /** A bus that pauses for so long after each nack, and a reader that nacks what it gets. */
    async function openNacking(context: Mocha.Context, backoffSeconds: number): Promise<Reading> {
      const retry = { minBackoffSeconds: backoffSeconds, maxBackoffSeconds: backoffSeconds };
      const subscriptions = { 'orders-sub': { ...settings, topic: 'orders', retry } };
      bus = await emulatedBus(context, { topics: ['orders'], subscriptions });
      await bus.publish([message('orders', 'nacked')]);
      return read(bus, 'orders-sub', nack);
    }
    afterEach(() => bus?.close());

    it('[anomaly 34] keeps the pause that the topology asks for', async function () {
      const nacking = await openNacking(this, 1);
      await nacking.received(1);
      expect(await durationMs(nacking.received(2))).to.be.at.least(990);
      await nacking.close();
    });

    it('[anomaly 35] pauses no longer when it closes: the next reader gets the message at once', async function () {
      const nacking = await openNacking(this, 600);
      await nacking.received(1);
      expect(await durationMs(nacking.close(15_000))).to.be.below(5_000);
      const next = read(bus, 'orders-sub');
      expect((await next.received(1)).map(textOf)).to.deep.equal(['nacked']);
      await next.close();
    });
  });
}
