/** What goes wrong in sagas. Each of these has tests that bear its number in their titles. */
export interface Anomaly {
  readonly number: number;
  readonly name: string;
  /** What happens, and what comes of it here. */
  readonly what: string;
}

const list: readonly (readonly [name: string, what: string])[] = [
  [
    'Duplicate delivery',
    'The broker hands out a message again. The ledger shows the step as done; nothing is done again.',
  ],
  [
    'Duplicate publication',
    'One fact comes under two message ids. The order is known by its own uuid, so it is the same as 1.',
  ],
  [
    'Concurrent duplicate',
    'Two workers process one message at once. One commit holds; the other is decided again and does nothing.',
  ],
  [
    'Reordering',
    'The messages of an order come in another order. A step runs only where the ledger stands at its beginning.',
  ],
  [
    'Error overtakes',
    'The failure is processed before the message that it follows from. It ends as 7 and 8.',
  ],
  ['Double compensation', 'The failure is told several times. Stock and money are given back once.'],
  [
    'Empty compensation',
    'What never ran is to be undone. Nothing is given back, and a tombstone fences the order.',
  ],
  ['Hanging step', 'A step runs after its undo. The fence refuses it; nothing is held for ever.'],
  [
    'Resurrected order',
    'A replay starts a purged order again. Its ledger is still there, canceled, and the replay does nothing.',
  ],
  [
    'Zombie compensation',
    'A late failure meets an order that has completed. The ledger is not failing, so nothing is undone.',
  ],
  ['Lost compensation', 'The janitor dies midway. A compensation is one commit; a redelivery completes it.'],
  [
    'Compensation that does not succeed',
    'It is repeated with pauses, shown on the dead-letter desk, logged as an error, and repeated on.',
  ],
  [
    'Inverted or partial compensation',
    'The undo is the exact inverse of what the ledger says was taken, for every line.',
  ],
  [
    'Lost update',
    'Two orders write the same stock or credit. Every write is guarded by the version that was read; both count.',
  ],
  ['Oversell', 'More orders than units. Exactly the available units are sold, the rest is refused.'],
  ['Fuzzy read', 'A price changes midway. What was reserved is what is charged.'],
  [
    'Absolute undo',
    'An undo that writes an old value would erase what other orders did since. Ours are differences.',
  ],
  [
    'Dual write',
    'The state is saved and the message is not published. A redelivery or the sweeper publishes it from the ledger.',
  ],
  [
    'Ambiguous commit',
    'A commit is answered with an error but went through. The documents are read again and show it.',
  ],
  ['Lost ack', 'The process dies before the ack, or the ack is lost. The message comes again: as 1.'],
  ['Stale worker', 'A paused process wakes up and commits what it decided long ago. The guard refuses it.'],
  ['Poison message', 'What can not be read is parked with its reason; the others go on.'],
  ['One bad message in a batch', 'Only this one comes again or is parked.'],
  [
    'Refusal taken for success, or the reverse',
    'A refusal is a value of its own; everything else that is thrown is a surprise and comes again.',
  ],
  [
    'Failure without a consumer',
    'Every topic that a ledger can call for has a subscription; a test reads the topology.',
  ],
  ['Misspelt name', 'A wrong configuration ends the start, with every fault named.'],
  ['Stuck order', 'Nobody would ever move it on. The sweeper re-drives it, and fails it at its deadline.'],
  ['Timeout race', 'The sweeper fails an order while a step commits. One commit holds, the other obeys.'],
  [
    'Cancel race',
    'The customer cancels while the payment commits. One comes first; a payment that was first is refunded.',
  ],
  ['Cancel too late, twice, or of nothing', '409, once, 404.'],
  ['Dead letter lost or repeated', 'It is kept once; a redrive can be repeated; a discard leaves a note.'],
  ['Replay of days', 'All old messages come again. Nothing changes.'],
  ['Hot item', 'Hundreds of orders want one document. It is written once a batch.'],
  [
    'Retry storm',
    'Who failed together does not retry together: pauses grow and have jitter, attempts are bounded.',
  ],
  ['Shutdown under load', 'What is in flight is finished or handed back within ten seconds.'],
  [
    'Kill under load',
    'Any process dies at any moment. All orders end in one final state, and the books balance.',
  ],
  ['Broker or store away', 'What was accepted survives; what is new gets 503; work goes on by itself.'],
  [
    'Stolen message',
    'Somebody pulls what a service should have got. People have subscriptions of their own, and the sweeper re-drives what was stolen.',
  ],
  [
    'Forged message',
    'Amounts and prices are never taken from a message; who can publish can at most make a step look at a ledger.',
  ],
  [
    'Idempotency key used again',
    'With the same order it is the same order; with another one it is refused with 422.',
  ],
  ['Wrong numbers and fields', '400, and the field is named.'],
  ['Path injection', '400; never another document.'],
  ['Money in floats', 'Amounts are whole minor units; the total is the sum of its lines, once.'],
  [
    'A restart that wipes or re-seeds',
    'Loading data twice changes nothing; nothing is deleted without being told.',
  ],
  ['Slow reader', 'A live stream whose reader does not read.'],
];

export const ANOMALIES: readonly Anomaly[] = list.map(([name, what], index) => ({
  number: index + 1,
  name,
  what,
}));

/** What can't be tested yet, because what it is about is not built yet. */
export const NOT_BUILT: Readonly<Record<number, string>> = { 45: 'live streams are not built yet' };
