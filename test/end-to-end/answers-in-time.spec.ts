import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { hostServices } from '../../programs/host.ts';
import { allServices } from '../../saga/deliver/service.ts';
import type { HttpRequest } from '../../saga/http/http.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { aLedger, NOW, SETTINGS, UUID } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';

describe('Who asks that an order be moved while the store says nothing', () => {
  const routes: readonly (readonly [who: string, path: string, body: unknown, look: string])[] = [
    ['a customer who cancels it', '/order/{uuid}/cancel', undefined, `/order/${UUID}`],
    ['an operator who cancels it', '/sagas/{uuid}/cancel', { detail: 'A test' }, `/sagas/${UUID}`],
    ['an operator who announces it again', '/sagas/{uuid}/announce', undefined, `/sagas/${UUID}`],
  ];
  for (const [who, path, body, look] of routes) {
    it(`[anomaly 37] is told after 15 s that nobody knows, and where to look: ${who}`, async () => {
      const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedger() });
      ports.store.commitFaults.push(() => new Promise(() => {}));
      const route = allServices(pipeline, ports, SETTINGS)
        .flatMap((service) => service.routes())
        .find((one) => one.method === 'POST' && one.path === path);
      const request: HttpRequest = { params: { uuid: UUID }, query: {}, body, header: () => undefined };
      const answer = route?.handle(request).catch((error: unknown) => error);
      expect(await ports.clock.finish(Promise.resolve(answer))).to.include({
        status: 503,
        detail: `Whether it was done is not known: look at ${look}, or ask again`,
      });
      expect(ports.clock.now().getTime() - NOW.getTime()).to.equal(15_000);
    });
  }
});

describe('A service that starts', () => {
  // Asked for only now: an earlier suite may have started the emulator, and a later one needs it again.
  let emulator: string | undefined;
  before(() => {
    emulator = process.env.PUBSUB_EMULATOR_HOST;
    delete process.env.PUBSUB_EMULATOR_HOST;
  });
  after(() => {
    if (emulator !== undefined) process.env.PUBSUB_EMULATOR_HOST = emulator;
  });

  const start = async (missing: () => Promise<string[]>) => {
    const ports = await recordedPorts();
    const options = {
      host: '127.0.0.1',
      port: 0,
      backend: 'gcp',
      subscriber: 'pull',
      pushIdentity: 'platform',
    } as const;
    const world = { ...ports, bus: { ...ports.bus, missing } };
    const hosting = hostServices(pipeline, allServices(pipeline, world, SETTINGS), world, options, () => {});
    const { message } = (await ports.clock.finish(hosting.catch((error: Error) => error))) as Error;
    return { message, afterMs: ports.clock.now().getTime() - NOW.getTime() };
  };

  it('[anomaly 26] says after 20 s that the broker is silent, and which setting to look at', async () => {
    expect(await start(() => new Promise(() => {}))).to.deep.equal({
      message:
        'Pub/Sub did not answer within 20000 ms: is PROJECT_ID right, and may this account use it (gcloud auth application-default login)?',
      afterMs: 20_000,
    });
  });

  it('[anomaly 26] says why the broker refuses, and which setting to look at', async () => {
    expect(await start(() => Promise.reject(new Error('12 UNIMPLEMENTED')))).to.deep.equal({
      message:
        'Pub/Sub can not be asked what there is, 12 UNIMPLEMENTED: is PROJECT_ID right, and may this account use it (gcloud auth application-default login)?',
      afterMs: 0,
    });
  });
});
