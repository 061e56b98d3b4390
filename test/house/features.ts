/** What the reference systems have, and what the best of the field have besides: for each, whether we have it, and what shows that. */
export interface Feature {
  readonly number: number;
  readonly group: string;
  readonly name: string;
  readonly built: Built;
  /** Absent only where nothing of it is built. */
  readonly proof?: Proof | undefined;
  /** What is missing, or what "yes" means here. */
  readonly note?: string | undefined;
}

/** In full, in part, or not at all. */
export type Built = 'yes' | 'part' | 'no';

/** A test by its file and its whole title, or a script of package.json. */
export type Proof =
  | { readonly kind: 'test'; readonly file: string; readonly title: string }
  | { readonly kind: 'script'; readonly script: string };

type Row = readonly [name: string, built: Built, proof?: Proof | undefined, note?: string];

const test = (file: string, title: string): Proof => ({ kind: 'test', file, title });
const script = (name: string): Proof => ({ kind: 'script', script: name });

const ANY_BACKEND = 'test/end-to-end/end-to-end.spec.ts';
const HTTP = 'test/end-to-end/http.spec.ts';
const PEOPLE_DECIDE = 'inventory/ask-people.spec.ts';
const LETTERS = 'test/end-to-end/desk.spec.ts';
const OPERATORS = 'test/end-to-end/operators.spec.ts';
const COMMANDS = 'test/end-to-end/operate.spec.ts';
const ORCHESTRATION = 'orchestrator/orchestrator.spec.ts';
const GENERATED = 'test/house/generated.spec.ts';
const LIVE = 'test/end-to-end/live.spec.ts';
const STEERING = 'test/end-to-end/steer.spec.ts';
const RUNNER = 'saga/deliver/runner.spec.ts';
const TURNS = 'saga/deliver/turns.spec.ts';
const COMPENSATION = 'saga/step/compensate.spec.ts';
const GROUP_COMMIT = 'saga/commit/group-commit.spec.ts';

/** By group, in the order of the table in which the systems were compared. The number of a row never changes. */
const groups: readonly (readonly [group: string, rows: readonly Row[]])[] = [
  [
    'Ordering flow',
    [
      [
        'HTTP endpoint that accepts an order',
        'yes',
        test(HTTP, 'answers an order with 202, where to look for it, and what it knows'),
      ],
      [
        'Reply carries the order id the caller can track',
        'yes',
        test(HTTP, 'answers an order with 202, where to look for it, and what it knows'),
      ],
      [
        'Client idempotency key on the POST (retry = same order)',
        'yes',
        test(ANY_BACKEND, '[anomaly 40] posted twice with one Idempotency-Key is one order'),
      ],
      ['Several line items per order', 'yes', test(ANY_BACKEND, 'of several lines is paid as a whole')],
      [
        "Stock checked, with an 'insufficient stock' path",
        'yes',
        test(ANY_BACKEND, 'is canceled when the stock is one short'),
      ],
      [
        'Reserve → confirm → release stock (available / reserved)',
        'yes',
        test(
          'delivery/deliver-order.spec.ts',
          'sends a parcel to the address of the customer, counts its units as sold, and waits for the courier',
        ),
      ],
      [
        'Payment step with a decline path that works',
        'yes',
        test(ANY_BACKEND, 'is canceled when the credit does not suffice, and the credit is untouched'),
      ],
      [
        'Total / invoice computed by the server',
        'yes',
        test('payments/charge-customer.spec.ts', '[anomaly 43] charges the sum of all lines, once'),
      ],
      [
        'Input and customer checked, with a clean rejection',
        'yes',
        test(ANY_BACKEND, 'is canceled when nobody knows the user'),
      ],
      [
        'Delivery / shipment stage, with a cost estimate',
        'yes',
        test(
          'delivery/deliver-order.spec.ts',
          'says beforehand what a delivery costs: by default 1 for each kilometer as the crow flies, rounded up',
        ),
      ],
      [
        'Customer cancels an order after placing it',
        'yes',
        test(
          ANY_BACKEND,
          '[anomaly 29] that is canceled after its payment is refunded, and its stock is back',
        ),
      ],
      [
        'Human decision step (approve / amend / cancel) with a deadline',
        'yes',
        test(PEOPLE_DECIDE, '[anomaly 13] cancel, or none in time: everything goes back'),
      ],
      [
        'Customer notification (mail / SMS / webhook)',
        'yes',
        test(
          'test/end-to-end/webhook.spec.ts',
          'tells of every end of every order under one id, until it is heard',
        ),
        'a webhook; no mail and no SMS',
      ],
    ],
  ],
  [
    'Compensation',
    [
      [
        'Automatic compensation on a downstream failure',
        'yes',
        test(ANY_BACKEND, '[anomaly 13] of several lines whose payment fails gives all of them back'),
      ],
      [
        'Compensation follows the recorded steps, in reverse',
        'yes',
        test(COMPENSATION, '[anomaly 11] gives everything back in one commit'),
        'it follows the recorded steps, all in one commit, so there is no order to keep',
      ],
      [
        'Stock (or credit) really restored, exactly once',
        'yes',
        test(COMPENSATION, '[anomaly 6] gives back once, however often the error is told'),
      ],
      [
        'Payment void / refund',
        'yes',
        test(
          ANY_BACKEND,
          '[anomaly 29] that is canceled after its payment is refunded, and its stock is back',
        ),
        "into the customer's credit; no payment provider is called",
      ],
      [
        'Failed order kept with status + reason (not deleted)',
        'yes',
        test(HTTP, 'tells in the history of an order why it failed'),
      ],
      [
        'Duplicate failure event does not compensate twice',
        'yes',
        test(COMPENSATION, '[anomaly 6] does nothing about an order that is canceled already'),
      ],
      [
        'Failing compensation: retried, then parked and reported',
        'yes',
        test(
          'janitor/sweep/sweep.spec.ts',
          '[anomaly 12] never gives a compensation up, and shows it to people once it has failed often',
        ),
      ],
      [
        'Late / replayed event cannot resurrect a dead order',
        'yes',
        test(
          ANY_BACKEND,
          '[anomalies 6, 9, 10, 32] is not changed by a replay of every message there ever was',
        ),
      ],
      [
        'Compensation still right if it overtakes the forward step',
        'yes',
        test(ANY_BACKEND, '[anomalies 5, 7, 8] whose failure arrives first is fenced, and takes nothing'),
      ],
      [
        'Deadlines (step and whole saga) that trigger compensation',
        'yes',
        test(
          'test/simulation/simulation.spec.ts',
          '[anomalies 27, 28] by sweeps and deadlines that race with the work',
        ),
      ],
    ],
  ],
  [
    'Idempotency and consistency',
    [
      [
        'Consumer dedup by id, atomic with the business write',
        'yes',
        test(RUNNER, '[anomaly 1] does once what a batch asks for twice, and publishes it once'),
      ],
      [
        'No dual write: outbox / journal + recovery of unsent events',
        'yes',
        test(RUNNER, '[anomaly 18] publishes from the ledger where a crash came between commit and publish'),
      ],
      [
        'Publish latency below 1 s (no polling hop)',
        'yes',
        test(RUNNER, '[anomaly 18] commits, then publishes, then acks'),
      ],
      [
        'Stock decrement conditional and race-safe (no oversell)',
        'yes',
        test(
          TURNS,
          '[anomaly 15] refuse an order for which an account has not enough, whatever the step decided',
        ),
      ],
      [
        'Concurrency control on saga records (version / lock / single writer)',
        'yes',
        test(
          TURNS,
          '[anomaly 21] of a worker that wakes after its lease leave no trace: the version refuses its commit',
        ),
      ],
      [
        'Out-of-order events tolerated by design',
        'yes',
        test(
          'test/simulation/simulation.spec.ts',
          '[anomaly 4] by messages that come late and in another order',
        ),
      ],
      [
        'Guarded state machine (illegal transitions refused)',
        'yes',
        test(
          'saga/step/saga.spec.ts',
          'tells which status may follow which, now and in a history that had fewer steps',
        ),
      ],
      [
        'Money without floats',
        'yes',
        test(
          'payments/charge-customer.spec.ts',
          "[anomaly 43] refuses a total that can't be counted exactly, and takes the largest one that can",
        ),
      ],
      [
        'Collision-free ids',
        'yes',
        test('saga/deliver/message.spec.ts', 'differs between ids of different origin'),
      ],
    ],
  ],
  [
    'Status and queries',
    [
      [
        'Get one order / list orders',
        'yes',
        test(HTTP, 'lists orders newest first, page by page, none twice and none left out'),
      ],
      [
        'Read models (history per customer, warehouse)',
        'yes',
        test('inventory/stock-movements.spec.ts', 'adds up to what the item says of itself'),
        'orders and events per customer; stock, and what moved it',
      ],
      [
        'Stage-by-stage status, not just start and end',
        'yes',
        test(
          ANY_BACKEND,
          'is paid: stock is taken, the invoice is written, and each stage is in its history',
        ),
      ],
      [
        'Live status push (SSE / websocket)',
        'yes',
        test(LIVE, 'sees an order as it is, each state it comes to, and the end of the stream with its own'),
      ],
      [
        'Failure reason shown to the caller',
        'yes',
        test(HTTP, 'tells in the history of an order why it failed'),
      ],
      [
        'Catalogue, stock and customer query APIs',
        'yes',
        test(HTTP, 'shows the stock and the customers, without what only the audit needs'),
      ],
      [
        'Restock / stock admin',
        'yes',
        test(
          'inventory/change-stock.spec.ts',
          '[anomaly 14] is decided again on what orders took at the same moment',
        ),
        '`PUT /inventory/{item}`, with a journal ([stock and limits](operations/stock-and-limits.md))',
      ],
    ],
  ],
  [
    'Delivery of events and event store',
    [
      [
        'Event store / audit log, queryable per order',
        'yes',
        test(
          OPERATORS,
          'is everything: its timeline with causes, what it holds, and the dead letters that name it',
        ),
      ],
      [
        'Replay / fork from a past step',
        'yes',
        test(STEERING, 'a fork of a canceled order goes its own way, with stock and credit of its own'),
        'a replay of messages changes nothing, by design',
      ],
      [
        'Event schemas checked (types, versions, contract tests)',
        'yes',
        test('test/end-to-end/asyncapi.spec.ts', 'that orders of every fate lead to, on every topic'),
      ],
      [
        'Design docs: event table, lab or guided tour',
        'yes',
        test(GENERATED, 'is told in tables: statuses, reasons, topics, documents, and who reacts to what'),
      ],
    ],
  ],
  [
    'Variant',
    [
      [
        'Choreography',
        'yes',
        test('saga/step/saga.spec.ts', 'is run by these services, which read these subscriptions'),
      ],
      [
        'Orchestration',
        'yes',
        test(ORCHESTRATION, 'does the same steps by one service, on one topic, and the books are the same'),
      ],
      [
        'Both, over the same services',
        'yes',
        test(
          ORCHESTRATION,
          '[anomaly 50] compensates by itself, beside choreographed orders for the same stock',
        ),
      ],
    ],
  ],
  [
    'Operations',
    [
      [
        'Retries with backoff on every step',
        'yes',
        test(
          GROUP_COMMIT,
          '[anomaly 34] waits longer after each failure, up to a second, and by chance less',
        ),
      ],
      [
        'Dead-letter queue with inspect + redrive',
        'yes',
        test(LETTERS, '[anomaly 31] redrives a message once its cause is mended, and the order goes on'),
      ],
      [
        'Permanent and transient errors told apart',
        'yes',
        test(GROUP_COMMIT, 'tells a rejection apart from what may work later'),
      ],
      [
        'Sweeper / recovery for stuck orders',
        'yes',
        test(
          'test/end-to-end/upgrade.spec.ts',
          '[anomalies 27, 38, 58] comes to its end by the sweep alone when every message is lost',
        ),
      ],
      [
        'Operator cancels / resumes / retries one saga (UI or CLI)',
        'yes',
        test(COMMANDS, 'announces one order again, and cancels it'),
      ],
      ['Health endpoints', 'yes', test(HTTP, 'is alive and ready')],
      [
        'Back-pressure / concurrency limit',
        'yes',
        test('saga/deliver/inbox.spec.ts', 'hands back what exceeds the most that may be on hand'),
      ],
      [
        'Clean-up of dedup / saga data by TTL',
        'yes',
        test('test/house/indexes.spec.ts', 'let ledgers and dead letters expire, and nothing else'),
      ],
      [
        'Authenticated calls; secrets + card data kept out',
        'yes',
        test(
          'test/security/security.spec.ts',
          '[anomaly 39] open to the token alone, however the path is written',
        ),
        'there is no card data',
      ],
    ],
  ],
  [
    'UI and visuals',
    [
      [
        'Customer web UI',
        'yes',
        test(
          'test/browser/order.spec.ts',
          'lights up step by step, waits for the courier, and is delivered by their word',
        ),
      ],
      [
        'Ops UI: saga timeline / state',
        'yes',
        test('test/browser/operations.spec.ts', 'show the dead letters as text, and discard one with a note'),
        'and each order by itself; `npm run saga` shows the same in a terminal',
      ],
      [
        'Architecture diagram and screenshots of real runs',
        'yes',
        script('pictures'),
        'the diagrams are generated, too',
      ],
      ['State diagram generated from the definition', 'yes', test(GENERATED, 'is drawn')],
    ],
  ],
  [
    'CLI and developer experience',
    [
      ['One command, no cloud account', 'yes', script('start')],
      ['Seed data', 'yes', script('data-init')],
      [
        'Named failure switches per step',
        'yes',
        test(HTTP, 'fails a step on demand, and lists the steps where there is none of that name'),
      ],
      [
        'OpenAPI / Postman / .http collection',
        'yes',
        test('test/end-to-end/requests.spec.ts', 'is answered as it says, request by request'),
      ],
      ['TypeScript code', 'yes', script('build')],
    ],
  ],
  [
    'Deploy and infrastructure',
    [
      [
        'Infrastructure as code',
        'yes',
        test('test/terraform/terraform.spec.ts', 'is valid for the provider itself'),
      ],
      [
        'Runs serverless on Google Cloud (Cloud Run)',
        'part',
        test(
          'test/terraform/services.spec.ts',
          'runs the services of the pipeline, each as its own program and its own identity',
        ),
        'the tests read the configuration and run on the emulators; none deploys',
      ],
      [
        'Least-privilege IAM and policy scan',
        'part',
        test('test/terraform/rights.spec.ts', '[anomaly 39] are exactly what the code needs'),
        'tests of our own compare the rights with the code; no scanner runs',
      ],
      [
        'CI pipeline in the repo',
        'yes',
        test('test/house/workflows.spec.ts', 'run commands that the package has'),
      ],
    ],
  ],
  [
    'Observability',
    [
      [
        'Structured logs with a correlation id',
        'yes',
        test(RUNNER, 'tells the story of each delivery in one line'),
      ],
      [
        'Distributed tracing, carried through the broker',
        'yes',
        test(
          'test/telemetry/tracing.spec.ts',
          'goes from its request to PAID, below the span of whoever sent the request',
        ),
      ],
      [
        'Metrics, incl. saga business metrics',
        'yes',
        test('test/telemetry/metrics.spec.ts', 'tell what became of orders and of deliveries'),
      ],
    ],
  ],
  [
    'Testing and chaos',
    [
      [
        'Unit tests of saga logic / test harness',
        'yes',
        test('test-kit/step-outcome.spec.ts', 'is what it learned and what has changed'),
      ],
      [
        'End-to-end test with broker + stores',
        'yes',
        test(
          ANY_BACKEND,
          'is paid: stock is taken, the invoice is written, and each stage is in its history',
        ),
      ],
      ['Crash / failure injection', 'yes', script('chaos')],
      ['Systematic crash × duplicate × reorder exploration', 'yes', script('explore')],
      [
        'Conservation checker (stock, money, orders balance)',
        'yes',
        test(
          'test/end-to-end/audit.spec.ts',
          'proves on live data, while orders are placed and canceled, that nothing is ever lost or held twice',
        ),
      ],
    ],
  ],
  [
    'Performance',
    [
      ['Load generator', 'yes', script('bench')],
      [
        'Throughput / latency numbers in the repo',
        'yes',
        script('bench'),
        'in [decision 0006](decisions/0006-throughput.md)',
      ],
      [
        'Hot-item strategy (sharded, bounded stock)',
        'yes',
        test(GROUP_COMMIT, '[anomaly 33] makes many changes of one document in one read and one commit'),
        'orders that arrive together share a commit; an item is not sharded',
      ],
      [
        'Declared operation / cost budget per order',
        'yes',
        test(
          'test/house/cost.spec.ts',
          'is no more with whatever steps there are than what each of them reads and holds',
        ),
      ],
    ],
  ],
  [
    'Beyond the reference systems',
    [
      [
        'A step that calls outside: intent, idempotency key, retry and timeout of its own, its own rollback',
        'no',
        undefined,
        'only the webhook calls outside, and it is no step',
      ],
      ['Unknown outcome of a call as a state that is reconciled; webhooks that come before the answer', 'no'],
      ['Authorize, capture, void, refund as states, with a refund record', 'no'],
      [
        'Wait for a word from outside, with a time-out',
        'yes',
        test(
          'saga/step/hear-word.spec.ts',
          'lets the order stand in a status of its own, until a time that is known, and learns what it must',
        ),
      ],
      [
        "Installable step API for one's own saga",
        'yes',
        test(
          'test/house/package.spec.ts',
          'can be installed from its tarball, and the trip compiles and runs against it',
        ),
      ],
      [
        "Test kit for the user's own saga, time skipping",
        'yes',
        test('test/simulation/any-saga.spec.ts', 'notices each guard that is taken out'),
      ],
      [
        'Pause when retries run out, resume on new code; by one or by filter',
        'yes',
        test(STEERING, 'all orders of a customer are paused, and let go on'),
        'by an operator, not by itself: an order whose step fails is announced again until its deadline',
      ],
      [
        'Reservation with expiry (hold)',
        'yes',
        test(PEOPLE_DECIDE, 'that asks holds what there is, at its price, and waits a day for a word'),
        'while an order waits for a person',
      ],
      [
        'Personal data erased, books kept',
        'yes',
        test(
          'test/end-to-end/erase-customer.spec.ts',
          '[anomaly 57] is nowhere afterwards, and the books are right',
        ),
      ],
      [
        'Events in BigQuery',
        'yes',
        test(
          'test/terraform/bigquery.spec.ts',
          'are those of every topic on which a status is announced, orchestrated or not, and of no other',
        ),
        'as an option of Terraform; checked against the documentation, never deployed ([bigquery.md](bigquery.md))',
      ],
      [
        'Local state that survives a restart, with an inspector',
        'yes',
        test(
          'test/end-to-end/local-engine.spec.ts',
          'comes back by itself on the same port when its engine is killed, with all that it has accepted',
        ),
        'also a SIGKILL; the web page and `npm run saga` show what there is',
      ],
      ['Throttle and concurrency per provider', 'no'],
      [
        'Skip or move one instance, or a batch',
        'part',
        test(STEERING, 'a skipped payment costs nothing, and the order is delivered'),
        'a step of one order can be skipped, and an ended order forked from a past status; no batch of either',
      ],
      [
        'An order pinned to the version it began with; gradual ramp',
        'no',
        undefined,
        'orders in flight go on under the next release ([decision 0012](decisions/0012-upgrades.md))',
      ],
      ['A participant in another language or database', 'no'],
      [
        'Parallel branches and join',
        'yes',
        test(
          'saga/step/steps-beside.spec.ts',
          'begin where the step before them is done, and what follows begins when all of them are',
        ),
        'the trip books flight and hotel at once',
      ],
      ['Split shipment, backorder', 'no'],
      ['Returns, partial refund', 'no'],
      [
        'Who did it is recorded',
        'yes',
        test(
          OPERATORS,
          'names who canceled it, to operators and not to customers, and the audit finds nothing wrong',
        ),
      ],
      [
        'Guide for machine readers (llms.txt)',
        'yes',
        test('test/house/llms.spec.ts', 'links to what exists, each once'),
      ],
    ],
  ],
];

export const FEATURES: readonly Feature[] = groups
  .flatMap(([group, rows]) => rows.map((row) => ({ group, row })))
  .map(({ group, row: [name, built, proof, note] }, index) => ({
    number: index + 1,
    group,
    name,
    built,
    proof,
    note,
  }));

/** Features, by number, that an anomaly is about: what goes wrong with it can be tested once it is built, and not before. */
export const ANOMALY_OF: Readonly<Record<number, number>> = {
  36: 45,
  45: 50,
  87: 56,
  89: 57,
  91: 55,
};
