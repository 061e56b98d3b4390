import type { Dice } from '../../test-kit/simulation/chance.ts';
import type { Parcel, Play, PublishedMessage, Subscriptions } from './play.ts';

/** Brings messages to the services, and whatever follows from them. */
export interface Courier {
  /**
   * Takes messages along.
   * @param among the subscriptions that there were when they were published; by default those that there are.
   */
  post(messages: readonly PublishedMessage[], among?: Subscriptions): void;
  /** Takes a parcel along that was handed back. */
  postAgain(parcel: Parcel): void;
  /**
   * Delivers what was posted and all that is published meanwhile, until nothing is left.
   * @param batchesMax stops after so many; what is left then waits for the next call.
   */
  deliver(batchesMax?: number): Promise<void>;
}

export interface Rounds {
  /** Throws in which order parcels arrive, and how many together; without dice each comes by itself, as it was published. */
  readonly dice?: Dice | undefined;
  /** Who takes a parcel, where several plays share one store; by default the first. Without anybody it is not delivered. */
  readonly playFor?: (parcel: Parcel) => Play | undefined;
  /** What becomes of a parcel that nobody takes now; by default that is an error. */
  readonly onUnread?: (parcel: Parcel) => void;
  /** What becomes of a parcel that is handed back; by default that is an error. */
  readonly onHandedBack?: (parcel: Parcel, play: Play) => void;
}

/** As many as arrive together at most. */
const TOGETHER_MAX = 12;

export function createCourier(
  plays: readonly [Play, ...Play[]],
  { dice, playFor = () => plays[0], onUnread = unread, onHandedBack = refuse }: Rounds = {},
): Courier {
  const waiting: Parcel[] = [];
  const seen = new Map(plays.map((play) => [play, 0]));

  function collect(): void {
    for (const play of plays) {
      waiting.push(...play.messages.slice(seen.get(play)).flatMap((message) => parcelsOf(message)));
      seen.set(play, play.messages.length);
    }
  }

  /** What goes to one subscription goes there once, whichever plays read it. */
  function parcelsOf(message: PublishedMessage, among?: Subscriptions): readonly Parcel[] {
    const parcels = plays.flatMap((play) => play.parcelsOf(message, among));
    return [...new Map(parcels.map((parcel) => [parcel.subscription, parcel])).values()];
  }

  /** Takes what comes next, and some of what goes the same way. */
  function takeNext(): Parcel[] {
    if (dice === undefined) return waiting.splice(0, 1);
    const [first] = waiting.splice(dice.whole(0, waiting.length - 1), 1) as [Parcel];
    const together = [first];
    for (let more = dice.whole(0, TOGETHER_MAX - 1); more > 0; more--) {
      const index = waiting.findIndex(({ subscription }) => subscription === first.subscription);
      if (index >= 0) together.push(...waiting.splice(index, 1));
    }
    return together;
  }

  return {
    post(messages, among) {
      waiting.push(...messages.flatMap((message) => parcelsOf(message, among)));
    },
    postAgain(parcel) {
      waiting.push(parcel);
    },
    async deliver(batchesMax = Number.POSITIVE_INFINITY) {
      for (let batches = 0; batches < batchesMax; batches++) {
        collect();
        if (waiting.length === 0) return;
        const parcels = takeNext();
        const play = playFor(parcels[0] as Parcel);
        if (play === undefined) {
          parcels.forEach(onUnread);
          continue;
        }
        const outcomes = await play.deliver(parcels);
        for (const [index, parcel] of parcels.entries()) {
          if (outcomes[index] === 'nacked') onHandedBack(parcel, play);
        }
      }
    },
  };
}

function unread({ subscription }: Parcel): never {
  throw new Error(`Nobody reads ${subscription}`);
}

function refuse({ message, subscription }: Parcel): never {
  throw new Error(`${subscription} handed back message ${message.id}: ${message.data}`);
}
