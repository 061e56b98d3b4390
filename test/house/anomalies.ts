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
    'The broker delivers a message again. The ledger shows that the step is done, so nothing is done again.',
  ],
  [
    'Duplicate publication',
    'One fact arrives under two message ids. An order is recognized by its own uuid, so this ends like 1.',
  ],
  [
    'Concurrent duplicate',
    'Two workers process one message at once. One commit succeeds; the other worker decides again and does nothing.',
  ],
  [
    'Reordering',
    'The messages of an order arrive in another order. A step runs only if the ledger stands at its beginning.',
  ],
  ['Error overtakes', 'The failure is processed before the message that caused it. This ends like 7 and 8.'],
  ['Double compensation', 'The failure is announced several times. Stock and money are given back once.'],
  [
    'Empty compensation',
    'A failure arrives for an order that never ran. Nothing is given back, and a tombstone fences the order.',
  ],
  ['Hanging step', 'A step runs after its undo. The fence refuses it, so it holds nothing.'],
  [
    'Resurrected order',
    'A replay would start a purged order again. Its ledger is still there, canceled, so the replay does nothing.',
  ],
  [
    'Zombie compensation',
    'A late failure meets an order that has completed. The ledger is not failing, so nothing is undone.',
  ],
  [
    'Lost compensation',
    'The janitor dies midway. A compensation is one commit, so it is done or not; a redelivery completes it.',
  ],
  [
    'Compensation that does not succeed',
    'The janitor keeps trying, with pauses, shows it on the dead-letter desk and logs it as an error.',
  ],
  [
    'Inverted or partial compensation',
    'The undo is the exact inverse of what the ledger says was taken, for every line.',
  ],
  [
    'Lost update',
    'Two orders write the same stock or credit. Every write is guarded by the version that was read, so both count.',
  ],
  [
    'Oversell',
    'More is ordered than there is. Exactly the available units are sold; the other orders are refused.',
  ],
  ['Fuzzy read', 'A price changes midway. The customer pays the price at which the stock was reserved.'],
  [
    'Absolute undo',
    'An undo that writes an old value would erase what other orders did since. Ours writes differences.',
  ],
  [
    'Dual write',
    'The state is saved but the message is not published. A redelivery or the sweep publishes it from the ledger.',
  ],
  [
    'Ambiguous commit',
    'A commit goes through but is answered with an error. The documents are read again and show it.',
  ],
  [
    'Lost ack',
    'The process dies before the ack, or the ack is lost. The message comes again, and this ends like 1.',
  ],
  ['Stale worker', 'A paused process wakes up and commits what it decided long ago. The guard refuses it.'],
  ['Poison message', "A message can't be read. It is parked with its reason, and the others go on."],
  ['One bad message in a batch', 'Only that message comes again or is parked.'],
  [
    'Refusal taken for success, or the reverse',
    'A refusal is a value of its own; anything that is thrown is a surprise, and its message comes again.',
  ],
  [
    'Failure without a consumer',
    'Every topic that a ledger can call for has a subscription; a test checks the topology.',
  ],
  ['Misspelt name', 'A wrong configuration ends the start, and the error names every fault.'],
  [
    'Stuck order',
    'The message that would move an order on is gone. The sweep announces the order again, and fails it at its deadline.',
  ],
  [
    'Timeout race',
    'The sweep fails an order while a step commits. One commit succeeds, and the other decides again.',
  ],
  [
    'Cancel race',
    'A customer cancels while the payment commits. If the payment comes first, it is refunded.',
  ],
  [
    'Cancel too late, twice, or of nothing',
    'A canceled order answers 409, a second request cancels nothing more, an unknown order is 404.',
  ],
  [
    'Dead letter lost or repeated',
    'It is kept once. You can repeat a redrive; a discarded letter stays, with a note.',
  ],
  ['Replay of days', 'All old messages come again. Nothing changes.'],
  ['Hot item', 'Hundreds of orders want one document. It is written once per batch.'],
  [
    'Retry storm',
    'Work that failed together is not retried together: pauses grow and have jitter, and attempts are bounded.',
  ],
  ['Shutdown under load', 'Work that is in flight is finished or handed back within ten seconds.'],
  [
    'Kill under load',
    'Processes die at any moment. Every order reaches one final state, and the books balance.',
  ],
  ['Broker or store away', 'Accepted orders survive, new ones get 503, and work resumes by itself.'],
  [
    'Stolen message',
    'A message is pulled that a service should have got. People have subscriptions of their own, and the sweep announces the order again.',
  ],
  [
    'Forged message',
    'Amounts and prices never come from a message. A forged one makes a step look at a ledger; at most it places an order or fences an unused uuid.',
  ],
  [
    'Idempotency key used again',
    'The same order under the same key is one order; another order is refused with 422.',
  ],
  ['Wrong numbers and fields', '400, and the answer names the field.'],
  ['Path injection', '400, and no other document is read.'],
  ['Money in floats', 'Amounts are whole minor units; the total is the sum of the lines, once.'],
  [
    'A restart that wipes or re-seeds',
    'Loading data twice changes nothing, and nothing is deleted unless you ask for it.',
  ],
  [
    'Slow reader',
    'The reader of a live stream does not read. What waits for it is bounded, it is told how much was left out, and no order waits.',
  ],
  ['Early word', 'A word from outside comes before the order waits for it.'],
  ['Contradicting words', 'Two words from outside contradict each other.'],
  ['Late word', 'A word from outside comes after the deadline of the wait has decided.'],
  ['Amendment race', 'A customer shrinks an order while it is paid, canceled or over its deadline.'],
  ['Both modes', 'A choreographed message meets an orchestrated ledger, or the reverse.'],
  ['Parallel branches', 'One branch refuses while another commits.'],
  [
    'A step put between others',
    'Orders are in flight while a release with one more step arrives. Each goes a legal way; old programs hand back what they do not understand.',
  ],
  ['Clocks that differ', 'The clock of a service is minutes off, or jumps.'],
  [
    'A fact that is missing',
    'Somebody has edited a document by hand. The doctor names it, and the repair never makes it worse.',
  ],
  [
    'Torn commit',
    'The local engine is killed in the middle of a commit, or its disk is full. After the restart there is all of the commit, or nothing.',
  ],
  ['Paused order', 'A pause meets a deadline, a cancel, a compensation.'],
  [
    'Erased customer',
    'A customer is erased while an order is under way, a letter is on the desk, a message is replayed. They have to wait while orders stand; afterwards nothing personal is left, and nothing brings it back.',
  ],
  ['A broker that forgets', 'All messages and subscriptions are gone.'],
];

export const ANOMALIES: readonly Anomaly[] = list.map(([name, what], index) => ({
  number: index + 1,
  name,
  what,
}));

/** What can't be tested yet, because what it is about is not built yet. */
export const NOT_BUILT: Readonly<Record<number, string>> = {};
