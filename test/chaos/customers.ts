import { v4 as uuidv4 } from 'uuid';
import { pipeline } from '../../pipeline.ts';
import type { Bus } from '../../saga/ports/bus.ts';
import { bodyOf, type PlannedOrder } from './orders.ts';

/** What the customers know of what they did: their word against the pipeline's. */
export interface Book {
  /** Every order that was accepted, by its uuid. */
  readonly accepted: ReadonlyMap<string, PlannedOrder>;
  /** How often an order was posted or published, repetitions of one order included. */
  readonly posts: number;
  /** How often each status was the answer to a post; 0: none came. */
  readonly answers: ReadonlyMap<number, number>;
  /** Orders that somebody asked to cancel, whatever the answer. */
  readonly askedToCancel: ReadonlySet<string>;
  /** Orders whose cancellation was accepted. */
  readonly canceled: ReadonlySet<string>;
  /** Answers that no customer must get. */
  readonly complaints: readonly string[];
}

export interface Customers {
  readonly book: Book;
  /** Places an order as planned. Resolves when nothing more is to be heard of it; never rejects. */
  place(planned: PlannedOrder): Promise<void>;
  /** Cancels an order. Resolves with the answer; never rejects. */
  cancel(uuid: string): Promise<void>;
}

/** Longer than any answer may take. */
const ANSWER_LIMIT_MS = 60_000;

/** @param bus to which some publish their orders; without it, all of them post. */
export function openCustomers(url: string, bus?: Bus): Customers {
  const accepted = new Map<string, PlannedOrder>();
  const answers = new Map<number, number>();
  const askedToCancel = new Set<string>();
  const canceled = new Set<string>();
  const complaints: string[] = [];
  let posts = 0;

  /** @returns the uuid where the order was accepted. */
  async function post({ order, key }: PlannedOrder): Promise<string | undefined> {
    posts++;
    const answer = await send(`${url}/order`, bodyOf(order), key);
    answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
    if (answer.status === 202) return answer.body.uuid as string;
    if (answer.status === 503 && answer.retryAfter === null) {
      complaints.push(`A 503 without Retry-After: ${JSON.stringify(answer.body)}`);
    }
    if (answer.status !== 503 && answer.status !== 0) {
      complaints.push(`An order was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    return undefined;
  }

  async function publish(to: Bus, { order, uuid = uuidv4() }: PlannedOrder): Promise<string | undefined> {
    posts++;
    const data = Buffer.from(JSON.stringify({ uuid, ...bodyOf(order) }));
    const [error] = await to.publish([{ topic: pipeline.entry.topic, data, attributes: {} }]);
    return error ? undefined : uuid;
  }

  async function cancel(uuid: string): Promise<void> {
    askedToCancel.add(uuid);
    const { status, body } = await send(`${url}/order/${uuid}/cancel`, {});
    if (status === 202) canceled.add(uuid);
    // 409: it was too late. An answer that got lost says nothing.
    else if (![409, 503, 0].includes(status)) {
      complaints.push(`A cancellation was answered with ${status}: ${JSON.stringify(body)}`);
    }
  }

  return {
    book: {
      accepted,
      answers,
      askedToCancel,
      canceled,
      complaints,
      get posts() {
        return posts;
      },
    },
    cancel,
    async place(planned) {
      const take = () => (planned.by === 'topic' && bus ? publish(bus, planned) : post(planned));
      const taken = await Promise.all(Array.from({ length: planned.posts }, take));
      const uuids = new Set(taken.filter((uuid) => uuid !== undefined));
      if (uuids.size > 1)
        complaints.push(`One Idempotency-Key became several orders: ${[...uuids].join(', ')}`);
      for (const uuid of uuids) accepted.set(uuid, planned);
      const [uuid] = uuids;
      if (uuid === undefined || planned.cancelAfterMs === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, planned.cancelAfterMs));
      await cancel(uuid);
    },
  };
}

interface Answer {
  /** 0 where no answer came. */
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
}

/** Posts a body. Never rejects. */
export async function send(url: string, body: object, key?: string): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: (await response.json()) as Record<string, unknown>,
    };
  } catch {
    return { status: 0, retryAfter: null, body: {} };
  }
}
