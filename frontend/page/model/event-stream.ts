import { type Locks, takeSlot } from './stream-slot.ts';

/**
 * Server-Sent Events over `fetch`, because `EventSource` can't send a token. It reads what the HTML standard describes:
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/** The longest event that is believed; a server that sends more is broken. */
const EVENT_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Cuts a text that comes in pieces into events. Comments, which keep the connection open, are no events. */
export function eventParser(): (piece: string) => ServerEvent[] {
  let rest = '';
  return (piece) => {
    rest += piece.replaceAll('\r', '');
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > EVENT_CHARACTERS_MAX) throw new Error('The server sends an event without an end');
    return blocks.flatMap(parseBlock);
  };
}

function parseBlock(block: string): ServerEvent[] {
  let [event, id]: [string, string | undefined] = ['message', undefined];
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field = '', value = ''] = /^([^:]+):? ?(.*)$/.exec(line) ?? [];
    if (field === 'event') event = value;
    else if (field === 'id') id = value;
    else if (field === 'data') data.push(value);
  }
  return data.length === 0 ? [] : [{ event, data: data.join('\n'), ...(id !== undefined && { id }) }];
}

/** `crowded`: other tabs of this browser follow as many streams as it may. */
export type Connection = 'connecting' | 'crowded' | 'live' | 'reconnecting' | 'ended' | 'refused';

export interface Following {
  readonly onEvent: (event: ServerEvent) => void;
  readonly onConnection: (connection: Connection) => void;
  readonly headers?: () => Record<string, string>;
  /** Whether somebody looks; without it, somebody always does. */
  readonly page?: Page | undefined;
  /** Shared with the other tabs; without them, each tab follows what it likes. */
  readonly locks?: Locks | undefined;
}

/** What is followed of a document. */
export interface Page extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly hidden: boolean;
}

const [FIRST_PAUSE_MS, PAUSE_MS_MAX] = [500, 5_000];
/** The server says something at least every 15 seconds; a connection that has been silent for longer is dead. */
const SILENCE_MS_MAX = 40_000;
/** A tab that is hidden for so long leaves its slot to others. */
const HIDDEN_MS_MAX = 20_000;

/**
 * Follows a stream for as long as it is wanted, and rests while the page is hidden. After a broken connection, or a rest, it goes on behind
 * the last event that it had.
 * @returns what stops it.
 */
export function follow(
  path: string,
  { onEvent, onConnection, headers = () => ({}), page, locks }: Following,
): () => void {
  const stopped = new AbortController();
  let lastId: string | undefined;
  let pauseMs = FIRST_PAUSE_MS;

  /** A fault of the reader is none of the stream. */
  function tell(event: ServerEvent): void {
    try {
      onEvent(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** @returns whether to try again. */
  async function once(): Promise<boolean> {
    const over = new AbortController();
    const signal = AbortSignal.any([stopped.signal, over.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => over.abort(), SILENCE_MS_MAX);
    };
    const forget = whenHidden(page, () => over.abort());
    let leave = () => {};
    try {
      leave = await takeSlot(locks, signal, () => onConnection('crowded'));
      heard();
      const response = await fetch(path, {
        headers: { Accept: 'text/event-stream', ...headers(), ...(lastId && { 'Last-Event-ID': lastId }) },
        signal,
      });
      if (!response.ok || response.body === null) {
        const isFinal = response.status >= 400 && response.status < 500 && response.status !== 429;
        if (isFinal) onConnection('refused');
        return !isFinal;
      }
      onConnection('live');
      pauseMs = FIRST_PAUSE_MS;
      const parse = eventParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        heard();
        for (const event of parse(piece.value)) {
          lastId = event.id ?? lastId;
          if (event.event === 'end') {
            onConnection('ended');
            return false;
          }
          tell(event);
        }
      }
      return true;
    } finally {
      clearTimeout(timer);
      forget();
      // However it ended, nothing of it stays open.
      over.abort();
      leave();
    }
  }

  async function run(): Promise<void> {
    onConnection('connecting');
    while (!stopped.signal.aborted) {
      await untilSeen(page, stopped.signal);
      const again = await once().catch(() => true);
      if (!again || stopped.signal.aborted) return;
      onConnection('reconnecting');
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
    }
  }

  void run();
  return () => stopped.abort();
}

/** @returns what forgets it. */
function whenHidden(page: Page | undefined, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (page?.hidden) timer = setTimeout(act, HIDDEN_MS_MAX);
  };
  look();
  page?.addEventListener('visibilitychange', look);
  return () => {
    clearTimeout(timer);
    page?.removeEventListener('visibilitychange', look);
  };
}

async function untilSeen(page: Page | undefined, stopped: AbortSignal): Promise<void> {
  while (page?.hidden && !stopped.aborted) {
    await new Promise<void>((resolve) => {
      page.addEventListener('visibilitychange', () => resolve(), { once: true, signal: stopped });
      stopped.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
