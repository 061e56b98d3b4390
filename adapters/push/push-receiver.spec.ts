import { expect } from 'chai';
import { createInbox, type Inbox } from '../../saga/deliver/inbox.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import { httpApp, serveHttp } from '../http/http-server.ts';
import { systemClock } from '../system-clock.ts';
import { pushHandlers } from './push-receiver.ts';

const REQUESTS = 50;

describe('Messages that are pushed at the same time', () => {
  it('[anomaly 33] share a batch, and each request is answered with what became of its own message', async () => {
    const batchSizes: number[] = [];
    let allArrived = () => {};
    const arrived = new Promise<void>((resolve) => {
      allArrived = resolve;
    });
    const inner = createInbox(async (deliveries: readonly Delivery[]) => {
      batchSizes.push(deliveries.length);
      // The first batch takes until the last request is here.
      await arrived;
      for (const { messageId, ack, nack } of deliveries) Number(messageId) % 2 === 0 ? ack() : nack();
    });
    const inbox: Inbox = {
      ...inner,
      deliver(delivery) {
        inner.deliver(delivery);
        if (inner.deliveredCount() === REQUESTS) allArrived();
      },
    };
    const push = pushHandlers([{ topic: 'some', subscription: 'some-sub', inbox }], async () => undefined, {
      clock: systemClock,
      log: () => {},
    });
    const http = await serveHttp(
      httpApp([], [], () => {}, { push }),
      '127.0.0.1',
      0,
    );
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, index) => {
        const { status } = await fetch(`http://127.0.0.1:${http.port}/push/some-sub`, {
          method: 'POST',
          body: JSON.stringify({ message: { messageId: String(index + 1) } }),
        });
        return status;
      }),
    );
    expect(answers).to.deep.equal(answers.map((_, index) => ((index + 1) % 2 === 0 ? 204 : 503)));
    expect([batchSizes.length, batchSizes.reduce((sum, size) => sum + size, 0)]).to.deep.equal([2, REQUESTS]);
    await http.close(1000);
  });
});
