import { request } from 'node:http';

/** An event as a reader gets it. */
export interface ReadEvent {
  readonly event: string;
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an API answers is what a test is about to find out.
  readonly data: any;
}

/** A reader of server-sent events. */
export interface EventReader {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The next event; undefined once the stream has ended. */
  next(): Promise<ReadEvent | undefined>;
  /** The next event of a kind for which this is so. @throws Error if the stream ends before. */
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  until(event: string, isSo?: (data: any) => boolean): Promise<ReadEvent>;
  /** Waits for a comment; true at once if one has come already, false if the stream ends before. */
  hasComment(): Promise<boolean>;
  /** Stops reading, so that what is sent piles up, and reads on. */
  pause(): void;
  resume(): void;
  /** Leaves. */
  close(): void;
}

/** Opens a stream, and resolves when its headers are there. */
export function readEvents(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const events: ReadEvent[] = [];
    let commentCount = 0;
    let text = '';
    let hasEnded = false;
    let wake = () => {};
    const woken = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      });
    const call = request(url, { headers, agent: false }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) take(block);
        wake();
      });
      response.on('error', () => {});
      response.on('close', () => {
        hasEnded = true;
        wake();
      });
      const reader: EventReader = {
        status: response.statusCode ?? 0,
        headers: response.headers,
        async next() {
          for (;;) {
            const first = events.shift();
            if (first || hasEnded) return first;
            await woken();
          }
        },
        async until(event, isSo = () => true) {
          for (;;) {
            const found = await reader.next();
            if (found === undefined) throw new Error(`The stream ended without such an event ${event}`);
            if (found.event === event && isSo(found.data)) return found;
          }
        },
        async hasComment() {
          while (commentCount === 0 && !hasEnded) await woken();
          return commentCount > 0;
        },
        pause: () => response.pause(),
        resume: () => response.resume(),
        close: () => call.destroy(),
      };
      resolve(reader);
    });
    function take(block: string): void {
      const fields = block.split('\n').map((line) => {
        const at = line.indexOf(':');
        return [line.slice(0, at), line.slice(at + 1).trimStart()] as const;
      });
      const { event, id, data, '': comment } = Object.fromEntries(fields);
      if (comment !== undefined) commentCount++;
      if (event !== undefined)
        events.push({ event, ...(id !== undefined && { id }), data: JSON.parse(data ?? 'null') });
    }
    call.on('error', reject);
    call.end();
  });
}
