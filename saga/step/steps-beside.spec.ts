import { expect } from 'chai';
import { z } from 'zod';
import { NOW, UUID } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { serviceOf, topicsBefore } from '../deliver/service.ts';
import { publishedBy, topologyOf } from '../deliver/topology.ts';
import { takeTurns } from '../deliver/turns.ts';
import { startWatchdog } from '../deliver/watchdog.ts';
import { announcedAgain, deadlineOf } from '../ledger/deadline.ts';
import { statusIn } from '../ledger/history.ts';
import {
  advance,
  FAILING,
  fail,
  type Ledger,
  ledgerPath,
  pause as pauseOrder,
  RECEIVED,
  receive,
} from '../ledger/ledger.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import type { OutgoingMessage } from '../ports/bus.ts';
import { pause } from '../ports/clock.ts';
import { readOne } from '../ports/store.ts';
import { forkTask } from '../steer/fork.ts';
import { skipTask, unpauseTask } from '../steer/steer.ts';
import { orchestrationTask } from './orchestrate.ts';
import { defineSaga, type OrderKind, type Saga } from './saga.ts';
import { accept, type Step, stepsFor, wait } from './step.ts';
import { stepTask } from './take-step.ts';
import type { LedgerTask } from './turn.ts';

const order: OrderKind<{ name: string; mode?: string | undefined }> = {
  schema: z.object({ name: z.string(), mode: z.string().exactOptional() }),
  listedBy: ['name'],
  modeIn: 'mode',
  parse: () => ({ faults: [] }),
  shows: ({ uuid }) => ({ uuid }),
};
const step = stepsFor<{ name: string; mode?: string | undefined }>();
const aStep = <const Name extends string, const Status extends string, const Topic extends string>(
  name: Name,
  leadsTo: Status,
  announces: Topic,
  more: Partial<Step> = {},
) => ({
  ...step({ name, leadsTo, announces, says: name, uses: [], reads: () => [], decide: () => accept({}) }),
  ...more,
});
const greet = aStep('greet', 'GREETED', 'greeted');
const bake = aStep('bake', 'BAKED', 'baked', { deadlineSeconds: 100 });
const brew = aStep('brew', 'BREWED', 'brewed', { deadlineSeconds: 300 });
const serve = aStep('serve', 'SERVED', 'served');
const around = {
  name: 'breakfast',
  order,
  entry: { topic: 'wanted', says: 'a guest is hungry' },
  workflow: { topic: 'workflow', says: 'go on' },
  failure: { topic: 'failed', says: 'no breakfast' },
  end: { topic: 'canceled', says: 'nothing is left of it' },
  reasons: ['SOLD_OUT'],
  unknownReason: 'SOLD_OUT',
  services: [],
  subscriptions: {},
} as const;
const saga = defineSaga({ ...around, steps: [greet, [bake, brew], serve] });

/** The order after these steps. */
function ledgerBehind(names: readonly string[], fields: object = {}): Ledger {
  let ledger: Ledger = receive(saga, UUID, { name: 'ann', ...fields }, 'door', NOW, 900);
  for (const name of names) ledger = advance(saga, ledger, { step: name, by: name, learned: {}, now: NOW });
  return ledger;
}
const due = (...names: string[]) => saga.stepsAt(ledgerBehind(names)).map(({ name }) => name);
const faultsIn = (steps: readonly (Step | readonly Step[])[]): string[] => {
  try {
    defineSaga({ ...around, steps: steps as readonly [] });
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((fault) => fault.trim());
  }
};

/** What one service does with a message for a ledger, and what it publishes. */
function told(ledger: Ledger, service: Step, of: Saga = saga) {
  const options = { settings: {}, deadlineSeconds: 900, isEntry: false };
  return taken(ledger, stepTask(of, service, { uuid: UUID }, options), service.name, of);
}

/** What comes of one turn, and what is published then. */
async function taken(ledger: Ledger, task: LedgerTask, party: string, of: Saga) {
  const ports = await recordedPorts({ [ledgerPath(UUID)]: ledger });
  const published: OutgoingMessage[] = [];
  const bus = {
    ...ports.bus,
    publish: async (messages: readonly OutgoingMessage[]) => {
      published.push(...messages);
      return messages.map(() => undefined);
    },
  };
  const [one] = await takeTurns(of, party, [task], { ...ports, bus });
  const { history } = (await readOne(ports.store, ledgerPath(task.uuid))) ?? { history: [] };
  return {
    outcome: one && 'turn' in one ? one.turn.outcome : one,
    statuses: history.map(statusIn),
    published: published.map(({ topic, attributes }) => `${topic} from ${attributes['ce-source']}`),
  };
}

/** What the watchdog says within ten minutes where nothing comes to the one who brews. */
async function missed(ledger: Ledger): Promise<string[]> {
  const ports = await recordedPorts({ [ledgerPath(UUID)]: ledger });
  const said: string[] = [];
  const silent = { subscription: 'greeted-brew-sub', topic: 'greeted', inbox: { deliveredCount: () => 0 } };
  const stop = startWatchdog(saga, [silent], ports, ({ message }) => said.push(message));
  await ports.clock.finish(pause(ports.clock, 600_000));
  stop();
  return said;
}

describe('Steps beside one another', () => {
  it('begin where the step before them is done, and what follows begins when all of them are', () => {
    expect(due()).to.deep.equal(['greet']);
    expect(due('greet')).to.deep.equal(['bake', 'brew']);
    expect([due('greet', 'bake'), due('greet', 'brew')]).to.deep.equal([['brew'], ['bake']]);
    expect([due('greet', 'bake', 'brew'), due('greet', 'brew', 'bake')]).to.deep.equal([
      ['serve'],
      ['serve'],
    ]);
    // By the status alone, each of the others may be done or not.
    const mayFollow = ['GREETED', 'BAKED', 'BREWED', 'SERVED'].map((status) => saga.stepsAfter(status));
    expect(mayFollow).to.deep.equal([[bake, brew], [brew, serve], [bake, serve], []]);
  });

  it('may be done in any order, each once, and every such ledger is believed', () => {
    for (const names of [
      ['greet', 'bake', 'brew', 'serve'],
      ['greet', 'brew', 'bake', 'serve'],
      ['greet', 'brew'],
    ]) {
      expect(readLedger(saga, UUID, ledgerBehind(names))).to.have.property('ledger');
    }
    expect(() => ledgerBehind(['greet', 'bake', 'bake'])).to.throw('bake has no turn');
    expect(() => ledgerBehind(['greet', 'bake', 'serve'])).to.throw('serve has no turn');
    const twice = ledgerBehind(['greet', 'bake', 'brew']);
    const repeated = { ...twice, status: 'BAKED', history: [...twice.history, twice.history[2] ?? ''] };
    expect(readLedger(saga, UUID, repeated)).to.deep.equal({
      faults: ['its history goes from BREWED to BAKED'],
    });
  });

  it('may be less than today, as in orders that were served before a release had one of them', () => {
    expect(saga.mayHaveFollowed([RECEIVED, 'GREETED', 'BREWED'], 'SERVED')).to.equal(true);
    expect(saga.mayHaveFollowed([RECEIVED, 'GREETED', 'SERVED'], 'BREWED')).to.equal(false);
  });

  it('hear the one message that begins them, and the step behind them hears each', () => {
    expect([greet, bake, brew, serve].map((one) => topicsBefore(saga, one))).to.deep.equal([
      ['wanted'],
      ['greeted'],
      ['greeted'],
      ['baked', 'brewed'],
    ]);
    const readers = Object.entries(topologyOf(saga).subscriptions).filter(([, { service }]) => service);
    expect(readers.map(([name, { service }]) => `${name} ${service}`)).to.include.members([
      'greeted-bake-sub bake',
      'greeted-brew-sub brew',
      'baked-serve-sub serve',
      'brewed-serve-sub serve',
    ]);
  });

  it('take orders in where they are the first ones, and leave none of them to another', async () => {
    const early = defineSaga({ ...around, steps: [[bake, brew], serve] });
    const ports = await recordedPorts();
    const settings = { deadlineSeconds: 900, sweepIntervalSeconds: 0, declared: {} };
    for (const { name, announces } of [bake, brew]) {
      expect(serviceOf(early, name, ports, settings).consumers.map(({ topic }) => topic)).to.deep.equal([
        'wanted',
      ]);
      expect(publishedBy(early, name)).to.deep.equal([announces, 'workflow', 'failed', 'dead-letter']);
    }
  });

  it('do nothing to an order that another one has refused', async () => {
    const refused = fail(saga, ledgerBehind(['greet', 'bake']), {
      ...{ by: 'brew', reason: 'SOLD_OUT', detail: 'No tea', now: NOW },
    });
    expect(await told(refused, bake)).to.deep.equal({
      outcome: 'fenced',
      statuses: [RECEIVED, 'GREETED', 'BAKED', FAILING],
      published: [],
    });
  });

  it('each say what they have done, even if the order has gone on before a crash let them', async () => {
    const outcome = 'duplicate';
    const statuses = [RECEIVED, 'GREETED', 'BAKED', 'BREWED'];
    const ledger = ledgerBehind(['greet', 'bake', 'brew']);
    expect(await told(ledger, bake)).to.deep.equal({
      ...{ outcome, statuses, published: ['baked from /breakfast/bake'] },
    });
    expect(await told(ledger, brew)).to.deep.equal({
      ...{ outcome, statuses, published: ['brewed from /breakfast/brew'] },
    });
    const turned = ledgerBehind(['greet', 'brew', 'bake']);
    expect((await told(turned, brew)).published).to.deep.equal(['brewed from /breakfast/brew']);
    // The step before them was alone: it could say so before anything followed.
    expect(await told(ledger, greet)).to.deep.equal({ outcome, statuses, published: [] });
  });

  it('are announced again together with the one that is done', () => {
    expect(saga.topicsAgain(ledgerBehind(['greet']))).to.deep.equal(['greeted']);
    expect(saga.topicsAgain(ledgerBehind(['greet', 'brew']))).to.deep.equal(['brewed', 'greeted']);
    expect(saga.topicsAgain(ledgerBehind(['greet', 'brew', 'bake']))).to.deep.equal(['baked']);
    expect(saga.topicsAgain(ledgerBehind(['greet', 'brew'], { mode: 'orchestration' }))).to.deep.equal([
      'workflow',
    ]);
    const refusal = { by: 'bake', reason: 'SOLD_OUT', detail: 'No flour', now: NOW };
    expect(saga.topicsAgain(fail(saga, ledgerBehind(['greet', 'brew']), refusal))).to.deep.equal(['failed']);
  });

  describe('are announced again together, because they may have passed over the order meanwhile,', () => {
    const declared = { ...around, pause: { topic: 'paused', says: 'a waiter has stopped it' } } as const;
    const steps = [greet, [{ ...bake, standIn: {} }, brew], serve] as const;
    const stoppable = defineSaga({ ...declared, steps });
    const waiter = { by: 'janitor', person: 'tim', note: 'The oven is cold' };
    const stopped = pauseOrder(stoppable, ledgerBehind(['greet', 'brew']), { ...waiter, now: NOW });
    for (const [when, ledger, task, own] of [
      ['a pause ends', stopped, unpauseTask(stoppable, UUID, waiter), 'brewed'],
      ['one of them is skipped', ledgerBehind(['greet']), skipTask(stoppable, UUID, 'bake', waiter), 'baked'],
      [
        'an order is forked between them',
        ledgerBehind(['greet', 'brew', 'bake', 'serve']),
        forkTask(stoppable, UUID, 'BREWED', waiter),
        'brewed',
      ],
    ] as const) {
      it(`when ${when}`, async () => {
        const { outcome, published } = await taken(ledger, task, 'janitor', stoppable);
        expect([outcome, ...published]).to.deep.equal([
          'steered',
          `${own} from /breakfast/janitor`,
          'greeted from /breakfast/greet',
        ]);
      });
    }
  });

  it('are missed by the watchdog once the order was announced again, and not before', async () => {
    const now = new Date(NOW.getTime() + 20_000);
    const baked = advance(saga, ledgerBehind(['greet']), { step: 'bake', by: 'bake', learned: {}, now });
    // Until then, brew may be at work on what it heard when the order was greeted.
    expect(await missed(baked)).to.deep.equal([]);
    expect(await missed(announcedAgain(saga, baked, now))).to.have.length(1);
  });

  it('have the deadline of the most impatient of those that are left', () => {
    const seconds = (...names: string[]) =>
      (Number(deadlineOf(saga, ledgerBehind(names))) - NOW.getTime()) / 1000;
    expect([seconds('greet'), seconds('greet', 'bake'), seconds('greet', 'brew')]).to.deep.equal([
      100, 300, 100,
    ]);
  });

  it('are taken in turn by an orchestrator', () => {
    let ledger = ledgerBehind([], { mode: 'orchestration' });
    const documents = { has: () => true, get: () => undefined };
    for (let count = 0; count < saga.steps.length; count++) {
      const task = orchestrationTask(saga, { uuid: UUID }, 'conductor', () => ({}));
      ledger = task.take(ledger, documents, NOW).ledger ?? ledger;
    }
    expect(ledger.history.map(statusIn)).to.deep.equal([RECEIVED, 'GREETED', 'BAKED', 'BREWED', 'SERVED']);
  });

  it('are refused where they could not work', () => {
    expect(faultsIn([greet, [bake, brew], serve])).to.deep.equal([]);
    expect(faultsIn([greet, [], serve])).to.deep.equal(['an empty list stands among its steps']);
    expect(faultsIn([greet, [bake, brew]])).to.deep.equal([
      'nothing follows bake and brew: steps beside one another need one behind them',
    ]);
    const sugar = z.int();
    const baking = { ...bake, learns: z.strictObject({ sugar }) };
    expect(faultsIn([greet, [baking, { ...brew, needs: { sugar } }], serve])).to.deep.equal([
      'brew needs sugar, which no earlier step learns',
    ]);
    expect(faultsIn([greet, [baking, { ...brew, learns: z.strictObject({ sugar }) }], serve])).to.deep.equal([
      'brew learns sugar, which is known before',
    ]);
    const asking = step({
      ...{ name: 'ask', leadsTo: 'TOLD', announces: 'told', says: 'told', uses: [], reads: () => [] },
      decide: () => wait(1, {}),
      waits: {
        ...{ as: 'ASKED', announces: 'asked', says: 'asked', words: { yes: {} }, afterwards: 'give up' },
        ...{ path: 'breakfasts/{uuid}', holds: () => [] },
      },
    });
    expect(faultsIn([greet, [bake, asking], serve])).to.include("ask waits, so it can't run beside others");
  });
});
