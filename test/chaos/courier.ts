import type { Bus } from '../../saga/ports/bus.ts';
import { isBroughtBack } from './orders.ts';

/** Brings every parcel that is announced, or brings it back, and says so until somebody has heard it. */
export interface Courier {
  /** Is told of a parcel that is under way. Says the word at once, by a message or over HTTP; never rejects. */
  bring(uuid: string): Promise<void>;
}

const TOPIC = 'delivery-updates';

export const openCourier = (url: string, bus: Bus): Courier => ({
  async bring(uuid) {
    const outcome = isBroughtBack(uuid) ? 'canceled' : 'delivered';
    if (Number.parseInt(uuid.slice(0, 2), 16) % 2 === 0) {
      const data = Buffer.from(JSON.stringify({ uuid, outcome }));
      await bus.publish([{ topic: TOPIC, data, attributes: {} }]);
      return;
    }
    const signal = AbortSignal.timeout(30_000);
    // Whatever the answer is: an order that still waits is told again.
    await fetch(`${url}/deliveries/${uuid}/${outcome}`, { method: 'POST', signal }).catch(() => undefined);
  },
});
