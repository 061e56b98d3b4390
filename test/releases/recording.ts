import { isUtf8 } from 'node:buffer';
import type { Reason } from '../../pipeline.ts';
import type { Path } from '../../saga/ports/store.ts';
import type { Word } from '../../saga/step/wait.ts';
import type { PublishedMessage, Subscriptions } from './play.ts';

/**
 * What a release leaves behind: all documents at one moment, and every message that it has published until then. Its
 * subscriptions are part of it: a message went to those that there were, whichever there are now.
 */
export interface Recording {
  readonly release: string;
  readonly moment: Date;
  readonly subscriptions: Subscriptions;
  readonly orders: readonly RecordedOrder[];
  readonly letters: readonly RecordedLetter[];
  readonly documents: ReadonlyMap<Path, object>;
  readonly messages: readonly PublishedMessage[];
}

/** An order, and what must become of it, whoever takes it over. */
export interface RecordedOrder {
  readonly uuid: string;
  readonly story: string;
  readonly ends: 'in success' | Reason;
  /** Where it is known: in its ledger; or, because nobody has seen it yet, in a message or on the desk alone. */
  readonly knownBy: 'ledger' | 'message' | 'letter';
  /** What is said to it if it still waits; by default the first word of its step. */
  readonly word?: Word;
}

/** A letter, and what must become of it when all that are parked are redriven. */
export interface RecordedLetter {
  readonly id: string;
  readonly story: string;
  readonly redrive: 'does no harm' | 'parks it again' | 'is refused' | 'is not asked for';
}

/** The recording as a file: a line for each entry, so that a difference shows which one it is. */
export function textOf(recording: Recording): string {
  const { release, moment, subscriptions, orders, letters, documents, messages } = recording;
  const list = (entries: readonly string[]) => entries.map((entry) => `\n    ${entry}`).join(',');
  return `{
  "release": ${JSON.stringify(release)},
  "moment": ${JSON.stringify(moment)},
  "subscriptions": {${list(Object.entries(subscriptions).map(([name, one]) => `${JSON.stringify(name)}: ${JSON.stringify(one)}`))}
  },
  "orders": [${list(orders.map((order) => JSON.stringify(order)))}
  ],
  "letters": [${list(letters.map((letter) => JSON.stringify(letter)))}
  ],
  "documents": {${list([...documents].map(([path, fields]) => `${JSON.stringify(path)}: ${JSON.stringify(withDates(fields))}`))}
  },
  "messages": [${list(messages.map((message) => JSON.stringify(writtenMessage(message))))}
  ]
}
`;
}

export function parseRecording(text: string): Recording {
  const { moment, documents, messages, ...rest } = JSON.parse(text);
  return {
    ...rest,
    moment: new Date(moment),
    documents: new Map(
      Object.entries(documents).map(([path, fields]) => [path, readDates(fields) as object]),
    ),
    messages: messages.map(readMessage),
  };
}

interface WrittenMessage {
  readonly id: string;
  readonly topic: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What is not text is written in base64. */
  readonly text?: string;
  readonly base64?: string;
}

const writtenMessage = ({ id, topic, attributes, data }: PublishedMessage): WrittenMessage => ({
  id,
  topic,
  attributes,
  ...(isUtf8(data) ? { text: data.toString() } : { base64: data.toString('base64') }),
});

const readMessage = ({ text, base64, ...message }: WrittenMessage): PublishedMessage => ({
  ...message,
  data: text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text),
});

/** JSON has no moments. */
const DATE = '$date';

function withDates(value: unknown): unknown {
  if (value instanceof Date) return { [DATE]: value };
  if (Array.isArray(value)) return value.map(withDates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withDates(member)]));
}

function readDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readDates);
  if (typeof value !== 'object' || value === null) return value;
  if (DATE in value) return new Date(String(value[DATE]));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readDates(member)]));
}
