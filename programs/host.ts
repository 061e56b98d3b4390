import { asyncApiOf } from '../adapters/http/asyncapi.ts';
import { CUSTOMERS_ALIKE, type CustomerCheck } from '../adapters/http/customer-gate.ts';
import type { CustomerIdentity } from '../adapters/http/customer-identity.ts';
import { type GateSettings, gatesBy } from '../adapters/http/gates.ts';
import { httpApp, type ReadinessCheck, serveHttp } from '../adapters/http/http-server.ts';
import { isLoopback, OPERATORS_CLOSED } from '../adapters/http/operator-gate.ts';
import { createLog } from '../adapters/log.ts';
import { pushHandlers, type TokenCheck } from '../adapters/push/push-receiver.ts';
import { noTelemetry, openTelemetry, type Telemetry } from '../adapters/telemetry/telemetry.ts';
import { inboxesOf } from '../saga/deliver/inbox.ts';
import { type Service, serviceOf } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { startWatchdog } from '../saga/deliver/watchdog.ts';
import type { Route } from '../saga/http/http.ts';
import { endsWithin } from '../saga/ports/clock.ts';
import type { Ports } from '../saga/ports/ports.ts';
import type { Saga } from '../saga/step/saga.ts';
import { type Config, loadDotenv, packageVersion, readConfig } from './config.ts';
import { openPorts } from './open-ports.ts';
import { assertStoreAnswers, assertTopologyExists, brokerAnswers, storeAnswers } from './reachability.ts';
import { runProcess } from './run-process.ts';

/** Services that run in this process. */
export interface Host {
  /** The port and the URL that answer HTTP. */
  readonly port: number;
  readonly url: string;
  /** Takes nothing new, finishes or hands back the work under way, and closes the ports. May be called again. */
  close(): Promise<void>;
}

/** Where and how to host services. */
export type HostOptions = Pick<Config, 'host' | 'port' | 'backend' | 'subscriber' | 'pushIdentity'> &
  GateSettings &
  Partial<Pick<Config, 'trustedProxies' | 'customerIdentity'>>;

/** Cloud Run kills ten seconds after SIGTERM: most of that time is for the work under way, the rest to flush. */
const CLOSE_TIMEOUT_MS = 7_500;
const FLUSH_TIMEOUT_MS = 1_500;
/** A collector that is away must not delay the end of a process. */
const TELEMETRY_TIMEOUT_MS = 1_000;

/**
 * Starts services: their consumers, and one HTTP server for all their routes.
 * @param services made with the ports that the telemetry observes.
 * @param onFailure is called if a subscription can't go on; the process should then end and be started again.
 * @throws Error that names every topic and subscription that is missing, or a port that is taken.
 */
export async function hostServices(
  saga: Saga,
  services: readonly Service[],
  ports: Ports,
  {
    host,
    port,
    backend,
    subscriber,
    pushIdentity,
    trustedProxies = 0,
    customerIdentity,
    ...gates
  }: HostOptions,
  onFailure: (error: Error) => void,
  telemetry: Telemetry = noTelemetry,
): Promise<Host> {
  const topology = topologyOf(saga);
  const subscribed = services.map(telemetry.service).flatMap((service) => inboxesOf(service, topology));
  await assertTopologyExists(
    ports,
    topology,
    subscribed.map(({ subscription }) => subscription),
  );
  let closing: Promise<boolean> | undefined;
  const readiness: ReadinessCheck[] = [
    ['running', () => closing === undefined],
    ['store', () => storeAnswers(ports)],
    ['broker', () => brokerAnswers(ports, topology)],
  ];
  const routes = services.flatMap((service) => service.routes());
  const isPushed = subscriber === 'push';
  const push = isPushed ? pushHandlers(subscribed, await tokenCheckOf({ pushIdentity }), ports) : [];
  const customers = gates.customers ?? (await customerCheckOf(customerIdentity));
  const about = { title: saga.name, version: packageVersion() };
  const app = httpApp(routes, readiness, ports.log, {
    about,
    asyncApi: () => asyncApiOf(saga, about),
    push,
    gatesOf: gatesBy({ ...gates, customers }),
    trustedProxies,
    isLocal: isLoopback(host) && trustedProxies === 0,
    first: telemetry.http,
    metrics: telemetry.page,
    webPage: services.find((service) => service.webPage)?.webPage,
  });
  const http = await serveHttp(app, host, port);
  const hasRoutesFor = (who: Route['audience']) => routes.some(({ audience }) => audience === who);
  if (gates.operators === undefined && (telemetry.page || hasRoutesFor('operators'))) {
    ports.log('WARNING', OPERATORS_CLOSED);
  }
  if (customers === undefined && hasRoutesFor('customers')) {
    ports.log(isLoopback(host) ? 'INFO' : 'WARNING', CUSTOMERS_ALIKE);
  }
  // Pushed messages come by HTTP, so there is nothing to open.
  if (!isPushed) {
    for (const { subscription, inbox } of subscribed) inbox.pull(ports.bus, subscription, onFailure);
  }
  // The platform takes care of pushed messages, and the embedded broker has no streams that could fall silent.
  const isWatched = backend === 'gcp' && !isPushed;
  const stopWatchdog = isWatched ? startWatchdog(saga, subscribed, ports, onFailure) : () => {};
  for (const service of services) service.start?.();

  async function finish(): Promise<void> {
    stopWatchdog();
    // HTTP ends last: while work is being finished, /readyz answers 503 and new orders are sent elsewhere.
    await Promise.all([
      ...subscribed.map(({ inbox }) => inbox.close(CLOSE_TIMEOUT_MS)),
      ...services.map((service) => service.drain?.()),
    ]);
    await http.close(CLOSE_TIMEOUT_MS);
    await ports.bus.close();
    await ports.store.close();
    await endsWithin(ports.clock, TELEMETRY_TIMEOUT_MS, telemetry.close());
  }

  return {
    port: http.port,
    url: http.url,
    async close() {
      // If the store or the broker is away, this may never finish; messages that are left come again.
      closing ??= endsWithin(ports.clock, CLOSE_TIMEOUT_MS + FLUSH_TIMEOUT_MS, finish());
      await closing;
    },
  };
}

/** The whole life of a process that runs one service: configuration, start, SIGTERM, end. */
export async function runService(saga: Saga, name: string): Promise<void> {
  loadDotenv();
  await runProcess(async (end) => {
    const config = readConfig(process.env, saga);
    if (config.backend === 'memory') {
      throw new Error(
        `BACKEND=memory: alone in its process, ${name} would hear of no order; npm start runs all services in one`,
      );
    }
    const log = createLog(config.logLevel, { service: name }, { projectId: config.projectId });
    const telemetry = await openTelemetry(config, saga, name, log);
    const ports = telemetry.ports(await openPorts(config, topologyOf(saga), log));
    const service = serviceOf(saga, name, ports, config);
    const host = await hostServices(saga, [service], ports, config, end, telemetry);
    // It may come back, so don't give up; but a wrong setting looks the same.
    assertStoreAnswers(ports).catch(({ message }: Error) => ports.log('WARNING', message));
    ports.log('INFO', `${name}: listens on ${host.url}`, { pid: process.pid });
    process.send?.({ port: host.port });
    return host;
  });
}

/** With `platform`, what stands in front of the service has checked who pushes. */
export async function tokenCheckOf({ pushIdentity }: Pick<Config, 'pushIdentity'>): Promise<TokenCheck> {
  if (pushIdentity === 'platform') return async () => undefined;
  const { createTokenCheck } = await import('../adapters/push/push-token.ts');
  return createTokenCheck(pushIdentity);
}

/** Undefined if customers are not told apart. */
async function customerCheckOf(identity: CustomerIdentity | undefined): Promise<CustomerCheck | undefined> {
  if (identity === undefined) return undefined;
  const { createCustomerCheck } = await import('../adapters/http/customer-token.ts');
  return createCustomerCheck(identity);
}
