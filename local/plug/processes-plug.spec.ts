import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { pipeline } from '../../pipeline.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { Bus, OutgoingMessage } from '../../saga/ports/bus.ts';
import { pause } from '../../saga/ports/clock.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { processesPlug, withRecords } from './processes-plug.ts';

const topology = topologyOf(pipeline);
const service = pipeline.steps[1]?.name ?? '';
const subscriptionsOf = (name: string) =>
  Object.entries(topology.subscriptions).filter(([, settings]) => settings.service === name);
const topicsOf = (name: string) => [...new Set(subscriptionsOf(name).map(([, { topic }]) => topic))];

/** A plug of services none of which runs, and whatever is published on any topic. */
function plugged(wrap: (bus: Bus) => Bus = (bus) => bus) {
  const clock = createManualClock();
  const inner = createMemoryBus(withRecords(topology), clock);
  const published: string[] = [];
  const warnings: string[] = [];
  const said: string[] = [];
  const relay = (name: string) => ({
    address: '',
    shut: () => said.push(`${name} shut`),
    open: () => said.push(`${name} open`),
    close: async () => {},
  });
  const plug = processesPlug(
    serviceNames(pipeline),
    { portOf: () => undefined, pidOf: () => undefined },
    { store: relay('store'), broker: relay('broker') },
    topology,
    {
      bus: wrap({
        ...inner,
        publish(messages) {
          published.push(...messages.map(({ topic, data }) => `${topic} ${data}`));
          return inner.publish(messages);
        },
      }),
      clock,
      log: (_severity, message) => warnings.push(message),
    },
    (error) => {
      throw error;
    },
  );
  /** As a service publishes it. */
  const publish = async (text: string, topics: readonly string[] = topology.topics) => {
    const messages = topics.map(
      (topic): OutgoingMessage => ({
        topic,
        data: Buffer.from(text),
        attributes: { 'ce-id': `${topic} ${text}` },
      }),
    );
    await inner.publish(messages);
  };
  const passes = (seconds: number) => clock.finish(pause(clock, seconds * 1000));
  return { plug, publish, passes, published, warnings, said };
}

describe('The plug of services that are processes', () => {
  it('reminds a service that died of all that came on its topics, and of nothing else', async () => {
    const { plug, publish, published } = plugged();
    await publish('one');
    await publish('two');
    await plug.remind(service);
    expect(topicsOf(service)).to.not.be.empty;
    expect(published).to.have.members(
      ['one', 'two'].flatMap((text) => topicsOf(service).map((topic) => `${topic} ${text}`)),
    );
    await plug.close();
  });

  it('reminds it of what may have come while it was frozen, and not of what is older', async () => {
    const { plug, publish, passes, published } = plugged();
    const [topic = ''] = topicsOf(service);
    await publish('too old', [topic]);
    await passes(11);
    await publish('when it was frozen', [topic]);
    await passes(60);
    await plug.remind(service);
    expect(published).to.deep.equal([`${topic} when it was frozen`]);
    await plug.close();
  });

  it('says that it could not remind a service, which then waits for the ack deadline', async () => {
    const { plug, publish, warnings } = plugged((bus) => ({
      ...bus,
      publish: async (messages) => messages.map(() => new Error('The broker is away')),
    }));
    const [topic = ''] = topicsOf(service);
    await publish('one', [topic]);
    await plug.remind(service);
    expect(warnings).to.deep.equal([`${service} could not be reminded of 1 messages`]);
    await plug.close();
  });

  it('records each topic of the saga, by subscriptions of its own', () => {
    const { subscriptions } = withRecords(topology);
    const own = Object.entries(subscriptions).filter(([name]) => !(name in topology.subscriptions));
    expect(own.map(([, { topic }]) => topic)).to.deep.equal(topology.topics);
    expect(own.map(([, settings]) => settings.service)).to.deep.equal(own.map(() => undefined));
  });

  it('neither kills nor freezes a service that is being started', async () => {
    const { plug } = plugged();
    expect(plug.services.map(plug.stateOf)).to.deep.equal(plug.services.map(() => 'starting'));
    for (const pull of [() => plug.crash(service), () => plug.freeze(service, 1)]) {
      expect(pull).to.throw(`${service} is being started; try again`);
    }
    await plug.close();
  });

  it('cuts off the one that it was told, until then, and no longer than it runs itself', async () => {
    const { plug, passes, said } = plugged();
    plug.cut('store', 5);
    await passes(5);
    plug.cut('broker', 60);
    await plug.close();
    expect(said).to.deep.equal(['store shut', 'store open', 'broker shut', 'broker open']);
  });
});
