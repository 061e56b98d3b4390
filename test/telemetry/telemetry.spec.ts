import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createTopology } from '../../adapters/google/pubsub-topology.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { loadData } from '../../data-init/load-data.ts';
import { pipeline } from '../../pipeline.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { type Child, programsOfSuite } from '../support/child.ts';
import { emulatedEnvironment, emulatedStore, freshProjectId } from '../support/emulators.ts';
import { DATA, topology } from '../support/pipeline.ts';
import { longTest } from '../support/thorough.ts';

const ORDER = { item: 'widget', quantity: 1, user: 'jack' };
const urlIn = (line: string) => /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '';
const post = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/order`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(ORDER),
  });

/** Prints, as the program ends, which packages of OpenTelemetry it had loaded. */
const TELL_PACKAGES = `--import data:text/javascript,${encodeURIComponent(`
  import { createRequire } from 'node:module';
  process.on('exit', () => {
    const loaded = Object.keys(createRequire(process.cwd() + '/').cache);
    const names = loaded.flatMap((path) => /@opentelemetry\\/([^/]+)/g.exec(path)?.[1] ?? []);
    process.stdout.write('loaded: ' + [...new Set(names)].sort().join(' ') + '\\n');
  });`)}`;

/** How OTLP writes an attribute of a resource: its key, and its value as a string in a value. */
const asAttribute = (key: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from(key),
    Buffer.from([0x12, value.length + 2, 0x0a, value.length]),
    Buffer.from(value),
  ]);

describe('Telemetry', () => {
  const start = programsOfSuite();
  const run = (script: string, environment: Record<string, string>): Child =>
    start(script, script === 'local/start.js' ? ['--memory'] : [], environment);

  /** Runs the pipeline on the embedded engine, with one order; says what it had loaded, and what is at /metrics. */
  async function runOnce(environment: Record<string, string>) {
    const child = run('local/start.js', { PORT: '0', NODE_OPTIONS: TELL_PACKAGES, ...environment });
    const url = urlIn(await child.line(/The pipeline runs on/));
    await post(url);
    await child.line(/payments +accepted/);
    const { status } = await fetch(`${url}/metrics`);
    child.process.kill('SIGTERM');
    return { loaded: (await child.line(/^loaded: /)).split(' ').slice(1), status };
  }

  it('is off unless it is asked for: nothing of its packages is loaded, and nothing is served', async () => {
    const { loaded, status } = await runOnce({});
    // The clients of Pub/Sub and Firestore bring the interface; there is nothing behind it.
    expect(loaded.filter((name) => /^(sdk|exporter|otlp|resources)/.test(name))).to.deep.equal([]);
    expect(status).to.equal(404);
  });

  it('is served at /metrics where it is asked for', async () => {
    const { loaded, status } = await runOnce({ METRICS: 'prometheus' });
    expect(loaded).to.include.members(['sdk-metrics', 'exporter-prometheus']);
    expect(status).to.equal(200);
  });

  it('holds up neither orders nor the end where no collector answers, and says so, once', async () => {
    const child = run('local/start.js', {
      PORT: '0',
      TELEMETRY: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '50',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_METRIC_EXPORT_INTERVAL: '50',
      OTEL_METRIC_EXPORT_TIMEOUT: '50',
    });
    const url = urlIn(await child.line(/The pipeline runs on/));
    expect((await post(url)).status).to.equal(202);
    await child.line(/payments +accepted/);
    await child.line(/Telemetry is not sent/);
    child.process.kill('SIGTERM');
    expect(await child.exited).to.equal(0);
    expect(child.output().match(/Telemetry is not sent/g)).to.have.length(1);
  });
});

describe('The trace of an order across processes', () => {
  /** Who has to do with an order that is paid. The notifier is off. */
  /** Those that an order meets: nothing comes of it for the others. */
  const SERVICES = serviceNames(pipeline).slice(0, 1 + pipeline.steps.length);
  const TRACE_ID = 'a1'.repeat(16);
  let collector: Server;
  const start = programsOfSuite();
  /** What the collector was sent, as it came. */
  const traces: Buffer[] = [];
  before(async () => {
    collector = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      if (request.url === '/v1/traces') traces.push(Buffer.concat(chunks));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    collector.close();
  });

  longTest(
    'is one, from the request to PAID, and every service tells the collector of it',
    async function () {
      const projectId = freshProjectId();
      const emulated = await emulatedEnvironment(this, projectId);
      await createTopology(projectId, topology);
      const store = await emulatedStore(this, projectId);
      await loadData(pipeline, store, { clock: systemClock, random: Math.random }, DATA);
      const { port } = collector.address() as AddressInfo;
      const environment = {
        ...emulated,
        PORT: '0',
        TELEMETRY: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_RESOURCE_ATTRIBUTES: 'cloud.region=europe-west1',
      };
      const started = SERVICES.map((name) => start('programs/service.js', [name], environment));
      const listening = await Promise.all(started.map((child) => child.line(/listens on/)));
      await post(urlIn(listening[0] ?? ''), { traceparent: `00-${TRACE_ID}-${'b2'.repeat(8)}-01` });
      const lines = await Promise.all(
        started.slice(1).map((child) => child.line(/"outcome":"(accepted|waiting)"/)),
      );
      expect(lines.map((line) => JSON.parse(line)['logging.googleapis.com/trace'])).to.deep.equal(
        lines.map(() => `projects/${projectId}/traces/${TRACE_ID}`),
      );
      for (const child of started) child.process.kill('SIGTERM');
      await Promise.all(started.map(({ exited }) => exited));
      const inTrace = traces.filter((body) => body.includes(Buffer.from(TRACE_ID, 'hex')));
      const tells = (key: string, value: string) => (body: Buffer) => body.includes(asAttribute(key, value));
      const tellers = SERVICES.filter((name) => inTrace.some(tells('service.name', name)));
      expect(tellers).to.deep.equal(SERVICES);
      expect(inTrace.filter((body) => !tells('cloud.region', 'europe-west1')(body))).to.deep.equal([]);
      await store.close();
    },
  );
});
