import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { aDelivery, NOW } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { BATCH_MAX } from '../commit/group-commit.ts';
import type { Bus, Delivery } from '../ports/bus.ts';
import { createInbox, type Inbox, inboxesOf, OUTSTANDING_MAX, QUEUE_MAX } from './inbox.ts';

const RETRY = { minBackoffSeconds: 1, maxBackoffSeconds: 60 };

/** An inbox of `frontend-sub` on the embedded broker, whose batches end when the spec says so. */
async function heldInbox() {
  const { bus, clock } = await recordedPorts();
  const batches: (readonly string[])[] = [];
  const asked: number[] = [];
  const deliver: ((delivery: Delivery) => void)[] = [];
  let finish = (): void => {};
  const noting: Bus = {
    ...bus,
    subscribe(name, outstandingMax, onDelivery, onFailure) {
      asked.push(outstandingMax);
      deliver.push(onDelivery);
      return bus.subscribe(name, outstandingMax, onDelivery, onFailure);
    },
  };
  const failures: string[] = [];
  const create = (): Inbox =>
    createInbox(async (deliveries) => {
      batches.push(deliveries.map(({ data }) => data.toString()));
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      for (const delivery of deliveries) delivery.ack();
    });
  function start(subscription = 'frontend-sub'): Inbox {
    const inbox = create();
    inbox.pull(noting, subscription, (error) => failures.push(error.message));
    return inbox;
  }
  return {
    clock,
    batches,
    /** Hands a message over past the broker's own limits, as a client library may do. */
    push: (delivery: Delivery) => deliver.at(-1)?.(delivery),
    asked,
    failures,
    /** One that reads no subscription: deliveries are handed to it. */
    create,
    start,
    async publish(...texts: string[]) {
      await bus.publish(
        texts.map((text) => ({ topic: 'frontend', data: Buffer.from(text), attributes: {} })),
      );
      await nextTurn();
    },
    async next() {
      finish();
      await nextTurn();
    },
    /** What another reader of the subscription gets, until it has so many messages. */
    async takenAgain(count: number) {
      const taken: string[] = [];
      const reading = new Promise<void>((resolve) => {
        const onDelivery = (delivery: Delivery) => {
          taken.push(`${delivery.data} at attempt ${delivery.attempt}`);
          delivery.ack();
          if (taken.length === count) resolve();
        };
        bus.subscribe('frontend-sub', 10, onDelivery, () => {});
      });
      await clock.finish(reading);
      return taken;
    },
  };
}

describe('An inbox', () => {
  it('[anomaly 33] hands over what has arrived, and what arrives meanwhile as the next batch', async () => {
    const { batches, start, publish, next } = await heldInbox();
    start();
    await publish('1', '2');
    await publish('3');
    await publish('4');
    expect(batches).to.deep.equal([['1', '2']]);
    await next();
    expect(batches).to.deep.equal([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('asks for a few batches at a time, and never makes one larger than a commit can hold', async () => {
    const { asked, batches, start, publish } = await heldInbox();
    start();
    await publish(...Array.from({ length: BATCH_MAX + 1 }, (_, index) => String(index)));
    expect([asked, batches.map((batch) => batch.length)]).to.deep.equal([[OUTSTANDING_MAX], [BATCH_MAX]]);
  });

  it('[anomaly 35] finishes the batch under way when it is closed, and hands back what waited', async () => {
    const { batches, start, publish, next, takenAgain } = await heldInbox();
    const inbox = start();
    await publish('1');
    await publish('2', '3');
    let closed = false;
    const closing = inbox.close(5_000).then(() => {
      closed = true;
    });
    await publish('4');
    expect(closed).to.equal(false);
    await next();
    await closing;
    expect(batches).to.deep.equal([['1']]);

    expect((await takenAgain(3)).sort()).to.deep.equal([
      '2 at attempt 2',
      '3 at attempt 2',
      '4 at attempt 1',
    ]);
  });

  it('[anomaly 35] waits no longer than allowed for a batch that does not end, and hands back what waited', async () => {
    const { clock, start, publish, takenAgain } = await heldInbox();
    const inbox = start();
    await publish('1');
    await publish('2');
    await clock.finish(inbox.close(5_000));
    expect(clock.now().getTime() - NOW.getTime()).to.equal(5_000);
    expect(await takenAgain(1)).to.deep.equal(['2 at attempt 2']);
  });

  it('[anomaly 35] hands back what the broker still delivers after it was closed', async () => {
    const { batches, start, push } = await heldInbox();
    await start().close(0);
    const late = aDelivery('late');
    push(late);
    await nextTurn();
    expect([late.settled, batches]).to.deep.equal(['nacked', []]);
  });

  it('[anomaly 35] to which messages are pushed is closed in the same way, and has counted all of them', async () => {
    const { create, next } = await heldInbox();
    const inbox = create();
    const [first, waiting, late] = [aDelivery('1'), aDelivery('2'), aDelivery('3')];
    inbox.deliver(first);
    await nextTurn();
    inbox.deliver(waiting);
    let closed = false;
    const closing = inbox.close(5_000).then(() => {
      closed = true;
    });
    inbox.deliver(late);
    await nextTurn();
    const settled = () => [first, waiting, late].map((delivery) => delivery.settled);
    expect([closed, settled()]).to.deep.equal([false, [undefined, 'nacked', 'nacked']]);
    await next();
    await closing;
    expect([settled(), inbox.deliveredCount()]).to.deep.equal([['acked', 'nacked', 'nacked'], 3]);
  });

  it('is there for each topic that a service reads, behind the subscription of that service', async () => {
    const processed: unknown[] = [];
    const consumers = ['order-created', 'inventory-updated'].map((topic) => ({
      topic,
      process: async (deliveries: readonly Delivery[]) => {
        processed.push([topic, deliveries]);
      },
    }));
    const subscriptions = Object.fromEntries(
      consumers.map(({ topic }) => [
        `${topic}-clerk-sub`,
        { topic, service: 'clerk', ackDeadlineSeconds: 10, retentionDays: 7, retry: RETRY },
      ]),
    );
    const inboxes = inboxesOf(
      { name: 'clerk', consumers, routes: () => [] },
      { topics: consumers.map(({ topic }) => topic), subscriptions },
    );
    expect(inboxes.map(({ topic, subscription }) => [topic, subscription])).to.deep.equal([
      ['order-created', 'order-created-clerk-sub'],
      ['inventory-updated', 'inventory-updated-clerk-sub'],
    ]);
    const delivery = aDelivery('1');
    inboxes[1]?.inbox.deliver(delivery);
    await nextTurn();
    expect(processed).to.deep.equal([['inventory-updated', [delivery]]]);
  });

  it('hands back what exceeds the most that may be on hand', async () => {
    const { start, push } = await heldInbox();
    start();
    const deliveries = Array.from({ length: QUEUE_MAX + 1 }, () => aDelivery('one of many'));
    for (const delivery of deliveries) push(delivery);
    expect(
      deliveries.flatMap(({ settled }, index) => (settled ? [`${index} ${settled}`] : [])),
    ).to.deep.equal([`${QUEUE_MAX} nacked`]);
  });

  it('takes no more at once than a commit can hold, and no more on hand than memory, by data and attributes', async () => {
    const MIB = 1024 * 1024;
    const byData = () => aDelivery(Buffer.alloc(MIB / 2));
    const byAttributes = () =>
      aDelivery(Buffer.alloc(0), {
        attributes: Object.fromEntries(
          Array.from({ length: 4 }, (_, index) => [`${index}`, 'x'.repeat(MIB / 8 - 1)]),
        ),
      });
    for (const heavy of [byData, byAttributes]) {
      const { batches, start, push, next } = await heldInbox();
      start();
      const deliveries = Array.from({ length: 4 }, heavy);
      for (const delivery of deliveries) push(delivery);
      await next();
      await next();
      expect(batches.map((batch) => batch.length).slice(0, 2)).to.deep.equal([2, 2]);
      const flood = Array.from({ length: 300 }, heavy);
      for (const delivery of flood) push(delivery);
      expect(flood.filter(({ settled }) => settled === 'nacked')).to.have.length(172);
    }
  });

  it('[anomaly 26] tells of a subscription that does not exist', async () => {
    const { failures, start } = await heldInbox();
    start('frontend-subb');
    await nextTurn();
    expect(failures).to.deep.equal(['Subscription frontend-subb does not exist']);
  });
});
