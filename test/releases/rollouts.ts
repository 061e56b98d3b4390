import type { Ledger } from '../../saga/ledger/ledger.ts';
import type { Saga } from '../../saga/step/saga.ts';
import type { Dice } from '../../test-kit/simulation/chance.ts';
import { createCourier } from './courier.ts';
import type { Parcel, Play, Subscriptions } from './play.ts';
import type { Recording } from './recording.ts';
import { requestsOf } from './words.ts';

/** How the programs of two releases follow one another while orders go on, all of them on one store. */

export type Side = 'old' | 'new' | 'both';
/** Which release runs each service; of a service that both run, any process may get a message. */
export type Fleet = (service: string) => Side;

/** The fleets that follow one another. In the end the new release runs everything. */
export const ROLLOUTS: Readonly<Record<string, readonly Fleet[]>> = {
  'all at once': [],
  'rolling, all services': [() => 'both'],
  'rolling, the janitor first': [
    (service) => (service === 'janitor' ? 'both' : 'old'),
    (service) => (service === 'janitor' ? 'new' : 'both'),
  ],
  'rolling, the janitor last': [
    (service) => (service === 'janitor' ? 'old' : 'both'),
    (service) => (service === 'janitor' ? 'both' : 'new'),
  ],
  'forth, and back at once': [() => 'new', () => 'old'],
  'forth, and back but for the janitor': [() => 'new', (service) => (service === 'janitor' ? 'new' : 'old')],
};

/** In each phase: how many batches are delivered, twice, and how many orders are placed and canceled. */
const PHASE = { batchesMax: 120, orders: 10, cancels: 20 };
/** How long the new release is alone, in hours: each wait of an order takes one, and so does a message that was lost. */
const HOURS = 5;
/** After so many deliveries in the mixed fleet, a message waits for the next one. */
const HANDED_BACK_MAX = 4;

/** What a rollout happens to. */
export interface Stage {
  readonly recording: Recording;
  /** The services of the new release, and of the old one that was recorded. */
  readonly ours: Play;
  readonly theirs: Play;
  /** The subscriptions of both releases. */
  readonly subscriptions: Subscriptions;
  readonly dice: Dice;
  /** The saga of the new release, which says for which words its orders wait. */
  readonly saga: Saga;
  /** Every order that there is. */
  readonly ledgers: () => Promise<readonly Ledger[]>;
  /** Called at the end of each phase, while both releases run. */
  readonly onPhase?: () => Promise<void>;
}

/** Lets the fleets follow one another, and the new release bring everything to its end. */
export async function rollOut(rollout: readonly Fleet[], stage: Stage): Promise<void> {
  const { recording, ours, theirs, subscriptions, dice, saga, ledgers, onPhase = async () => {} } = stage;
  let fleet: Fleet = () => 'new';
  /** A process of this service, and of those that read the subscription, where it is given. */
  function playOf(service: string, subscription?: string): Play | undefined {
    const side = fleet(service);
    const running = [...(side === 'old' ? [] : [ours]), ...(side === 'new' ? [] : [theirs])].filter(
      (play) => subscription === undefined || play.subscriptions.includes(subscription),
    );
    return running.length > 0 ? dice.oneOf(running) : undefined;
  }
  const ask = (service: string, method: string, path: string, body?: object) =>
    (playOf(service) as Play).ask(method, path, body);
  const attempts = new Map<Parcel, number>();
  let left: Parcel[] = [];
  const courier = createCourier([ours, theirs], {
    dice,
    playFor: ({ subscription }) => playOf(subscriptions[subscription]?.service ?? '', subscription),
    onUnread: (parcel) => left.push(parcel),
    onHandedBack(parcel) {
      const attempt = (attempts.get(parcel) ?? 0) + 1;
      attempts.set(parcel, attempt);
      if (attempt % HANDED_BACK_MAX === 0) left.push(parcel);
      else courier.postAgain(parcel);
    },
  });
  const moveOn = (seconds: number) => {
    for (const play of [ours, theirs]) play.moveOn(seconds);
  };
  /** What was handed back again and again comes again later, and so does what had no reader. */
  async function deliver(batchesMax?: number): Promise<void> {
    for (const parcel of left) courier.postAgain(parcel);
    left = [];
    await courier.deliver(batchesMax);
  }

  /** Somebody says what orders wait for; a process of either release hears it, be it that it does not know such an order. */
  async function speak(isSaid: () => boolean = () => true): Promise<void> {
    for (const { service, path, body } of requestsOf(saga, await ledgers(), recording.orders)) {
      if (isSaid()) await ask(service, 'POST', path, body);
    }
  }

  courier.post(recording.messages, recording.subscriptions);
  for (const next of rollout) {
    fleet = next;
    for (let count = 0; count < PHASE.orders; count++) {
      const order = {
        user: dice.oneOf(['jack', 'joe']),
        item: dice.oneOf(['widget', 'wotsit']),
        quantity: dice.whole(1, 4),
      };
      const { status } = await ask('frontend', 'POST', '/order', order);
      if (status !== 202) throw new Error(`An order was not accepted: ${status}`);
    }
    await deliver(dice.whole(1, PHASE.batchesMax));
    const placed = await ledgers();
    for (let count = 0; count < PHASE.cancels; count++) {
      await ask('frontend', 'POST', `/order/${dice.oneOf(placed).uuid}/cancel`);
    }
    await speak(() => dice.often(0.5));
    moveOn(1);
    await deliver(dice.whole(1, PHASE.batchesMax));
    moveOn(40);
    await ask('janitor', 'POST', '/sweep');
    await onPhase();
  }
  fleet = () => 'new';
  for (let hour = 0; hour < HOURS; hour++) {
    await deliver();
    await speak();
    await deliver();
    moveOn(3600);
    await ask('janitor', 'POST', '/sweep');
  }
}
