import { systemClock } from '../../adapters/system-clock.ts';
import type { AuditReport } from '../../janitor/audit/audit-report.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { LEDGERS, type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import { type Path, StoreError } from '../../saga/ports/store.ts';
import { collectionNames } from '../support/all-documents.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { type Approver, openApprover } from './approver.ts';
import { openCourier } from './courier.ts';
import { type Customers, openCustomers } from './customers.ts';
import { decisionOn, type Line, type Loaded } from './orders.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';
import { openTap, type Tap, withTaps } from './tap.ts';
import { differences, judge, unannounced, type Verdict } from './verdict.ts';
import { readWorld, type World } from './world.ts';

/** A running pipeline, its customers, and the means to find out whether it did right by them. */
export interface Scene {
  readonly stack: Stack;
  readonly tap: Tap;
  readonly customers: Customers;
  readonly approver: Approver;
  /** So many dead letters there must be: each message that nobody can process, once for every service that reads its topic. */
  poisonCount: number;
  /** What the doctor says, at any time. */
  audit(): Promise<AuditReport>;
  /** Waits until it is quiet, within the limit, and then judges what there is. */
  settle(): Promise<Verdict & { readonly world: World }>;
  /** Has every message come again that a service ever got. @returns what that has changed, each as a sentence. */
  replay(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface SceneOptions extends StackOptions {
  /** Users and stock; of all other accounts there is plenty. */
  readonly data: Loaded;
  /** How long no service may say a word before it counts as quiet. */
  readonly quietSeconds: number;
  /** Whether the deadline is so short that an order may miss it on a slow machine. */
  readonly mayExpire: boolean;
  /** How long it may take to become quiet. */
  readonly quietLimitSeconds: number;
}

export async function openScene(options: SceneOptions): Promise<Scene> {
  const topology = withTaps(options.topology);
  const data = withFurtherAccounts(options.data, pipeline, plenty) as Loaded;
  const stack = await startStack({ ...options, topology, data });
  const courier = openCourier(stack.url, stack.bus);
  const customers = openCustomers(stack.url, stack.bus);
  const { book } = customers;
  const approver = openApprover(stack.url, customers);
  const waited = new Set<string>();
  const tap = openTap(stack.bus, topology, ({ topic, attributes, data }) => {
    const uuid = attributes['ce-subject'] ?? '';
    if (topic === 'delivery-started') void courier.bring(uuid);
    if (topic === 'order-waiting') {
      waited.add(uuid);
      void approver.decide(uuid, (JSON.parse(data.toString()) as { items: Line[] }).items);
    }
    if (['order-delivered', 'order-canceled'].includes(topic) && waited.has(uuid)) approver.isOver(uuid);
  });

  /** The world as it was when it was quiet, or else as it was last seen. */
  let seen: World | undefined;
  const look = () => readWorld(stack.store, collectionNames(pipeline));

  const thoseThatAre = async (status: string) =>
    (await stack.store.query({ collection: LEDGERS, where: { status }, limit: 500 })) as Ledger[];

  /** The time is over in which people could have said something. */
  async function passTime({ uuid }: Ledger): Promise<void> {
    const path: Path<Ledger> = ledgerPath(uuid);
    const found = (await stack.store.read([path])).get(path);
    const ledger = found?.fields as Ledger | undefined;
    if (found === undefined || ledger?.status !== 'WAITING') return;
    const now = new Date();
    const fields = { waitsUntil: { ...ledger.waitsUntil, inventory: now }, sweepAt: now };
    await stack.store.commit([{ kind: 'update', path, fields, version: found.version }]).catch((error) => {
      // The sweep, or whoever cancels it, was faster.
      if (!(error instanceof StoreError)) throw error;
    });
  }

  /** All orders have come to their end, what that is has been announced, and no service has anything left to do. */
  async function isQuiet(): Promise<boolean> {
    if (performance.now() - stack.lastLineAtMs() < 1000 * options.quietSeconds) return false;
    // What a courier or an approver said in vain is said again.
    await Promise.all((await thoseThatAre('DELIVERING')).map(({ uuid }) => courier.bring(uuid)));
    await Promise.all(
      (await thoseThatAre('WAITING')).map((ledger) =>
        decisionOn(ledger.uuid) === 'silence'
          ? passTime(ledger)
          : approver.decide(ledger.uuid, (ledger as { offered?: readonly Line[] }).offered ?? []),
      ),
    );
    await approver.isDone();
    if (await standsAny(stack)) return false;
    const world = await look();
    seen = world;
    if ([...world.ledgers.values()].some((ledger) => isStanding(pipeline, ledger))) return false;
    const isThere = (uuid: string) => world.ledgers.has(ledgerPath(uuid));
    return [...book.accepted.keys()].every(isThere) && unannounced(world, tap.ids).length === 0;
  }

  /** @returns what is wrong with that, as a sentence. */
  async function becomesQuiet(): Promise<string[]> {
    try {
      await until('it is quiet', 1000 * options.quietLimitSeconds, isQuiet);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  const scene: Scene = {
    stack,
    tap,
    customers,
    approver,
    poisonCount: 0,
    audit: () => takeAudit(pipeline, { store: stack.store, clock: systemClock }),
    async settle() {
      const unrest = await becomesQuiet();
      const { violations, stuck } = await scene.audit();
      const findings = [...violations, ...stuck].map(({ sentence }) => `The doctor: ${sentence}`);
      // A commit that was cut off may still be applied: an order that nobody was promised begins after this moment.
      const world = seen ?? (await look());
      const { lost, wrong } = judge(world, {
        loaded: data,
        accepted: book.accepted,
        askedToCancel: book.askedToCancel,
        canceled: book.canceled,
        mayExpire: options.mayExpire,
        poisonCount: scene.poisonCount,
        heard: tap.ids,
        said: approver.said,
        heeded: approver.heeded,
      });
      const complaints = [...book.complaints, ...approver.complaints];
      return { world, lost, wrong: [...wrong, ...findings, ...unrest, ...complaints] };
    },
    async replay() {
      const before = await look();
      const begun = stack.nextLine(/ (duplicate|fenced) /);
      await stack.replayAll();
      await begun;
      const unrest = await becomesQuiet();
      return [...unrest, ...differences(before, await look())];
    },
    async close() {
      await tap.close();
      await stack.close();
    },
  };
  return scene;
}

async function standsAny({ store }: Stack): Promise<boolean> {
  const found = await Promise.all(
    pipeline.statuses
      .filter((status) => isStanding(pipeline, { status }))
      .map((status) => store.query({ collection: LEDGERS, where: { status }, limit: 1 })),
  );
  return found.flat().length > 0;
}
