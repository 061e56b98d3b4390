/**
 * The bus port: what the kernel asks of a message broker. Two implementations stand behind it, Pub/Sub and the
 * embedded one, and one contract suite holds both to what is written here.
 *
 * The kernel assumes the weakest delivery: a message may come more than once, late, in any order, and an
 * acknowledgement may be lost.
 */

/** A message as it is published: data, or at least one attribute. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A message as it arrives. */
export interface Delivery {
  /** The subscription that it arrives by. */
  readonly subscription: string;
  /** The broker's id of the message; a second publication of the same fact has another one. */
  readonly messageId: string;
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
  readonly publishTime: Date;
  /** Which delivery of this message this is, from 1; always 1 if the broker does not count. */
  readonly attempt: number;
  /** Done: the broker need not send it again (it still may). Later calls of ack and nack are ignored. */
  ack(): void;
  /** Not done: the broker sends it again, after a pause. Later calls of ack and nack are ignored. */
  nack(): void;
}

/**
 * The size of a message: bytes of data plus characters of attributes. Attributes count because a message without data may
 * have 128 KiB of them, and a letter is stored with its attributes.
 */
export const sizeOf = ({ data, attributes }: Pick<OutgoingMessage, 'data' | 'attributes'>): number =>
  Object.entries(attributes).reduce((size, [name, value]) => size + name.length + value.length, data.length);

/** The result of one publication: undefined if the broker has the message, otherwise the error. */
export type PublishResult = Error | undefined;

export interface OpenSubscription {
  /**
   * Stops taking messages. Resolves when every message that was handed out has been acked or nacked, or when
   * `timeoutMs` has passed; messages that are still open then come again after their ack deadline.
   */
  close(timeoutMs: number): Promise<void>;
}

export interface Bus {
  /**
   * Publishes messages, all at once, within a bounded time. One failure does not touch the others.
   * A message may be published although an error is reported.
   * @returns what came of each, in the order given. Never rejects.
   */
  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]>;

  /**
   * Opens a subscription. `onDelivery` must not throw; `onFailure` is called if the subscription can't go on.
   * @param outstandingMax the most messages that are handed out and not yet acked or nacked.
   */
  subscribe(
    subscription: string,
    outstandingMax: number,
    onDelivery: (delivery: Delivery) => void,
    onFailure: (error: Error) => void,
  ): OpenSubscription;

  /** Which of these topics and subscriptions do not exist. */
  missing(topics: readonly string[], subscriptions: readonly string[]): Promise<readonly string[]>;

  /** Sends what is still buffered and lets go of connections. The bus can't be used afterwards. */
  close(): Promise<void>;
}
