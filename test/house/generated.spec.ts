import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { z } from 'zod';
import { openApiOf } from '../../adapters/http/openapi.ts';
import { composeLines } from '../../generate/containers.ts';
import { type GeneratedFile, generatedFiles } from '../../generate/generated-files.ts';
import { flowchart, stateLine } from '../../generate/pictures.ts';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { allServices, type ServiceDefinition } from '../../saga/deliver/service.ts';
import type { Route } from '../../saga/http/http.ts';
import { account, record } from '../../saga/step/document.ts';
import { defineSaga, type Saga } from '../../saga/step/saga.ts';
import { wholeNumber } from '../../saga/step/settings.ts';
import { accept, stepsFor } from '../../saga/step/step.ts';
import { widerPipeline } from '../releases/packing.ts';
import { SETTINGS } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { longTest } from '../support/thorough.ts';

const root = fileURLToPath(packageRoot);
const text = (path: string) => readFileSync(join(root, path), 'utf8');

const filesOf = async (saga: Saga) =>
  generatedFiles(saga, allServices(saga, await recordedPorts(), SETTINGS));

describe('What follows from the pipeline', () => {
  let files: readonly GeneratedFile[];
  before(async () => {
    files = await filesOf(pipeline);
  });

  it('is written down as it is: npm run generate brings it up to date', () => {
    for (const { path, render } of files) expect(text(path), path).to.equal(render(text(path)));
  });

  it('is what OpenAPI enumerates', async () => {
    const routes = allServices(pipeline, await recordedPorts(), SETTINGS).flatMap((service) =>
      service.routes(),
    );
    const { paths } = openApiOf(routes, { title: '', version: '' }) as {
      paths: Record<string, { get?: { parameters: { name: string; schema: { enum?: string[] } }[] } }>;
    };
    const status = paths['/orders']?.get?.parameters.find(({ name }) => name === 'status');
    expect(status?.schema.enum).to.deep.equal(pipeline.statuses);
  });

  describe('in a copy of the files', () => {
    let copy: string;
    beforeEach(() => {
      copy = mkdtempSync(join(tmpdir(), 'order-saga-generated-'));
      for (const { path } of files) {
        mkdirSync(join(copy, dirname(path)), { recursive: true });
        cpSync(join(root, path), join(copy, path));
      }
      for (const folder of ['dist', 'node_modules']) symlinkSync(join(root, folder), join(copy, folder));
    });
    afterEach(() => rmSync(copy, { recursive: true }));

    /** The program takes itself to be where its link is, so the files beside the link are its own. */
    const generate = (...args: string[]): Promise<{ code: unknown; said: string }> =>
      new Promise((resolve) => {
        const program = join(copy, 'dist/programs/generate.js');
        const flags = ['--preserve-symlinks', '--preserve-symlinks-main'];
        execFile(process.execPath, [...flags, program, ...args], (error, stdout, stderr) =>
          resolve({ code: error?.code ?? 0, said: stdout + stderr }),
        );
      });

    longTest(
      'is checked file by file: a stale one is named, with the command that mends it',
      async function () {
        this.timeout(60_000);
        const spoilt = [
          /"shard"/,
          /"publish_time"/,
          /an order was accepted/,
          /service\.js, order/,
          /SUCCESS: \w+/,
          /──order──/,
          /--> CREATED/,
          /`frontend-sub` \|/,
        ];
        for (const { path } of files) {
          const stale = spoilt.reduce((all, part) => all.replace(part, 'stale'), text(path));
          writeFileSync(join(copy, path), stale);
        }
        const { code, said } = await generate('--check');
        expect(said.trim().split('\n')).to.deep.equal(
          files.map(({ path }) => `${path} is stale: npm run generate brings it up to date`),
        );
        expect(code).to.equal(1);
        expect((await generate()).code).to.equal(0);
        for (const { path } of files)
          expect(readFileSync(join(copy, path), 'utf8'), path).to.equal(text(path));
        expect(await generate('--check')).to.deep.equal({ code: 0, said: '' });
      },
    );

    it('keeps every subscription and its reader, unless somebody says that it may go', async function () {
      this.timeout(60_000);
      const topology = join(copy, 'infra/topology.json');
      writeFileSync(
        topology,
        text('infra/topology.json').replace('"service": "order"', '"service": "stranger"'),
      );
      const kept = readFileSync(topology, 'utf8');
      const { code, said } = await generate();
      expect([code, said.split('\n')[0]]).to.deep.equal([1, 'frontend-sub would go from stranger to order']);
      expect(readFileSync(topology, 'utf8')).to.equal(kept);
      expect((await generate('--drop')).code).to.equal(0);
      expect(readFileSync(topology, 'utf8')).to.equal(text('infra/topology.json'));
    });

    longTest(
      'is not written where the topology is gone, or is no JSON: what it would lose is unknown',
      async () => {
        const topology = join(copy, 'infra/topology.json');
        writeFileSync(topology, '{');
        expect((await generate()).said).to.match(/^infra\/topology\.json is not JSON, restore it first: /);
        rmSync(topology);
        expect((await generate()).said).to.match(/^infra\/topology\.json can't be read, restore it first: /);
        writeFileSync(topology, text('infra/topology.json'));
      },
    );

    longTest('is not written where a marker is lost, and what was written by hand stays', async () => {
      const lost = text('infra/compose.yaml').replace('  # end\n', '');
      writeFileSync(join(copy, 'infra/compose.yaml'), lost);
      expect(await generate()).to.deep.equal({
        code: 1,
        said: 'infra/compose.yaml can\'t be brought up to date: no line "# end" follows "# generated: npm run generate"\n',
      });
      expect(readFileSync(join(copy, 'infra/compose.yaml'), 'utf8')).to.equal(lost);
    });

    it('is not written where a marker is there twice', async () => {
      const page = text('README.md');
      writeFileSync(join(copy, 'README.md'), page + page);
      const { code, said } = await generate('--check');
      expect(code).to.equal(1);
      expect(said).to.match(
        /^README\.md can't be brought up to date: the line ".*" is there 2 times, not once\n$/,
      );
    });
  });
});

describe('What follows from a saga of another shape', () => {
  const rooms = account({
    name: 'hotel',
    path: 'hotels/{hotel}',
    balance: 'rooms',
    whole: 'rooms_in_all',
    fields: {},
    missing: 'NO_SUCH_HOTEL',
    shortage: 'FULL',
  });
  const bookings = record({
    name: 'booking',
    path: 'hotels/{hotel}/bookings/{uuid}',
    schema: z.object({ nights: z.array(z.string()), until: z.date().nullable(), rate: z.int() }),
  });
  interface Trip {
    readonly guest: string;
    readonly nights: readonly string[];
  }
  const step = stepsFor<Trip>();
  const bookRoom = step({
    name: 'hotel',
    leadsTo: 'BOOKED',
    announces: 'room-booked',
    says: 'a room is booked',
    refusals: ['NO_NIGHTS'],
    uses: [rooms, bookings],
    learns: { rate: z.int() },
    reads: () => [rooms.of('ritz')],
    decide: () => accept({ rate: 1 }),
    holds: () => [],
  });
  const operate = { method: 'POST', path: '/close', audience: 'operators' } as unknown as Route;
  const look = { method: 'GET', path: '/seats/{row}' } as unknown as Route;
  const charter = step({
    name: 'bus',
    leadsTo: 'SEATED',
    announces: 'seat-taken',
    says: 'a seat is taken',
    uses: [],
    settings: { BUS_SEATS: wholeNumber(1, 60).prefault('50') },
    routes: () => [operate, look],
    reads: () => [],
    decide: () => accept({}),
    holds: () => [],
  });
  const beside = (name: string, reads: ServiceDefinition['reads']): ServiceDefinition => ({
    name,
    reads,
    publishes: ({ entry, failure, end }) => [entry.topic, failure.topic, end.topic],
    create: () => ({ name, consumers: [], routes: () => [] }),
  });
  const trips = defineSaga({
    name: 'trips',
    order: {
      schema: z.object({ guest: z.string(), nights: z.array(z.string()) }),
      listedBy: ['guest'],
      parse: () => ({ faults: [] }),
      shows: () => ({}),
    },
    entry: { topic: 'asked', says: 'a trip was asked for' },
    steps: [bookRoom, charter],
    failure: { topic: 'failed', says: 'a trip can not be' },
    end: { topic: 'off', says: 'a trip is off' },
    reasons: ['NO_LONGER_WANTED'],
    unknownReason: 'NO_LONGER_WANTED',
    services: [beside('desk', () => []), beside('cleaner', ({ failure }) => [failure.topic])],
    subscriptions: { 'asked-sub': 'hotel', 'failed-sub': 'cleaner' },
  });
  let rendered: ReadonlyMap<string, string>;
  before(async () => {
    rendered = new Map((await filesOf(trips)).map(({ path, render }) => [path, render(text(path))]));
  });
  const of = (path: string) => rendered.get(path) ?? '';
  const json = (path: string) => JSON.parse(of(path));

  it('says what each service publishes, who calls which of them, and their settings', () => {
    const plain = { hasOperatorRoutes: false, customerRoutes: [], settings: [] };
    expect(json('infra/topology.json').services).to.deep.equal({
      desk: { ...plain, publishes: ['asked', 'failed', 'off'] },
      hotel: { ...plain, publishes: ['room-booked', 'failed', 'dead-letter'] },
      bus: {
        publishes: ['seat-taken', 'failed', 'dead-letter'],
        hasOperatorRoutes: true,
        customerRoutes: ['GET /seats/{row}'],
        settings: ['BUS_SEATS'],
      },
      cleaner: { ...plain, publishes: ['asked', 'failed', 'off'] },
    });
  });

  it('says which status is an order’s end, for what waits for it', () => {
    expect(json('infra/topology.json')).to.deep.include({ success: 'SEATED', words: {} });
  });

  it('lists its orders by an index, and leaves out of all indexes what grows or is never asked for', () => {
    const { indexes, fieldOverrides } = json('infra/firestore.indexes.json') as {
      indexes: { collectionGroup: string; fields: { fieldPath: string }[] }[];
      fieldOverrides: { collectionGroup: string; fieldPath: string }[];
    };
    const ofLedgers = indexes.filter(({ collectionGroup }) => collectionGroup === 'sagas');
    expect(ofLedgers.map(({ fields }) => fields.map(({ fieldPath }) => fieldPath).join())).to.deep.equal([
      'shard,createdAt,__name__',
      'shard,status,createdAt,__name__',
      'guest,createdAt,__name__',
      'guest,status,createdAt,__name__',
      'shard,sweepAt,__name__',
      'shard,movedAt,__name__',
    ]);
    const exempt = fieldOverrides.map(({ collectionGroup, fieldPath }) => `${collectionGroup} ${fieldPath}`);
    expect(exempt).to.include.members(['sagas nights', 'sagas rate']).and.to.not.include('sagas guest');
    expect(exempt.filter((one) => one.startsWith('bookings '))).to.deep.equal([
      'bookings nights',
      'bookings until',
      'bookings rate',
    ]);
  });

  it('is run as containers, of which those get an operators’ token whom operators call', () => {
    const [, generated = ''] = of('infra/compose.yaml').split('# generated: npm run generate\n');
    expect(generated.split('\n').slice(0, 17).join('\n')).to.equal(`  desk:
    <<: *service
    command: [dist/programs/service.js, desk]
    ports: ['127.0.0.1:8080:8080']
  hotel:
    <<: *service
    command: [dist/programs/service.js, hotel]
    ports: ['127.0.0.1:8081:8080']
  bus:
    <<: *service
    command: [dist/programs/service.js, bus]
    environment:
      <<: *environment
      # The operators' routes stay closed until it is set.
      OPERATOR_TOKEN: \${OPERATOR_TOKEN:-}
      BUS_SEATS: \${BUS_SEATS:-}
    ports: ['127.0.0.1:8082:8080']`);
    expect(of('.github/workflows/check.yml')).to.contain(
      '      SERVICES: desk hotel bus cleaner\n      SUCCESS: SEATED\n      # end\n',
    );
  });

  it('gives no container the port of an emulator, however many there are', () => {
    const many = Array.from({ length: 8 }, (_, index) => [
      `service-${index}`,
      { publishes: [], hasOperatorRoutes: false, customerRoutes: [], settings: [] },
    ]);
    const ports = composeLines(Object.fromEntries(many)).flatMap(
      (line) => /127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? [],
    );
    expect(ports).to.deep.equal(['8080', '8081', '8082', '8083', '8084', '8087', '8088', '8089']);
  });

  it('is drawn', () => {
    expect(of('README.md')).to.contain(`
flowchart LR
    people([people, their systems])
    client([client]) -- order, cancel --> desk
    desk -- asked --> hotel
    hotel -- room-booked --> bus
    bus -- seat-taken --> people
    desk & hotel & bus & cleaner -- failed --> cleaner
    cleaner -- off --> people
    desk & hotel & bus & cleaner <--> ledger[(sagas/uuid<br/>the ledger)]
`);
    expect(of('README.md')).to.contain(`
RECEIVED ──hotel──▶ BOOKED ──bus──▶ SEATED
    └──────────────────┴───────────────┘
    refused or too late before it is SEATED, or canceled at any time:
    FAILING ──cleaner──▶ CANCELED
`);
    expect(of('docs/architecture.md')).to.contain(`
    [*] --> RECEIVED: desk
    RECEIVED --> BOOKED: hotel
    RECEIVED --> FAILING: refusal, cancel, deadline
    BOOKED --> SEATED: bus
    BOOKED --> FAILING: refusal, cancel, deadline
    SEATED --> FAILING: cancel
    FAILING --> CANCELED: cleaner
`);
  });

  it('is drawn without a way to fail from an end that is final', () => {
    const [line, joints, reason] = stateLine(pipeline).filter((one) => !one.startsWith('```'));
    expect(joints?.lastIndexOf('┘')).to.equal(
      Math.floor('DELIVERING'.length / 2) + (line?.indexOf('DELIVERING') ?? 0),
    );
    expect(reason).to.match(/^ +refused, canceled or too late before it is DELIVERED:$/);
  });

  it('is drawn without the older subscription of a step in front of which another one was put', () => {
    expect(flowchart(widerPipeline).join('\n')).to.contain(`
    inventory -- inventory-updated --> packing
    packing -- order-packed --> payments
`);
  });

  it('is told in tables: statuses, reasons, topics, documents, and who reacts to what', () => {
    const architecture = of('docs/architecture.md');
    expect(architecture).to.contain(`
| \`RECEIVED\` | \`asked\` | desk, or hotel, where another program has published to \`asked\` |
| \`BOOKED\` | \`room-booked\` | hotel |
| \`SEATED\` | \`seat-taken\` | bus |
| \`FAILING\` | \`failed\` | desk, hotel, bus, cleaner |
| \`CANCELED\` | \`off\` | cleaner |
`);
    expect(architecture).to.contain(`
| \`NO_LONGER_WANTED\` | a failure that came before its order and named no reason |
| \`NO_NIGHTS\` | hotel refuses |
| \`NO_SUCH_HOTEL\` | the order needs \`hotels/{hotel}\`, which is missing |
| \`FULL\` | the order would take more than is left: \`rooms\` of \`hotels/{hotel}\` |
| \`CANCELED_BY_OPERATOR\` | an operator canceled the order |
| \`DEADLINE_EXCEEDED\` | a stage took longer than the order allows |
| \`STEP_FAILED\` | the order asked for a step to fail |
`);
    expect(architecture).to.contain(`
| \`asked\` | a trip was asked for | desk, cleaner | hotel (\`asked-sub\`) |
| \`room-booked\` | a room is booked | hotel | bus (\`room-booked-bus-sub\`) |
| \`seat-taken\` | a seat is taken | bus | people (\`seat-taken-sub\`) |
| \`failed\` | a trip can not be | desk, hotel, bus, cleaner | cleaner (\`failed-sub\`), people (\`failed-cli-sub\`) |
| \`off\` | a trip is off | desk, cleaner | people (\`off-sub\`) |
`);
    expect(architecture).to.contain(`
| \`hotels/{hotel}\` | hotel, an account: \`rooms\` is what is left of \`rooms_in_all\` | \`rooms\`, \`rooms_in_all\`, \`corrections?\` | hotel |
| \`hotels/{hotel}/bookings/{uuid}\` | booking | \`nights\`, \`until\`, \`rate\` | hotel |
`);
    expect(of('docs/operations/alerts.md')).to.contain(`
| \`asked\` | hotel | \`asked-sub\` |
| \`room-booked\` | bus | \`room-booked-bus-sub\` |
| \`failed\` | cleaner | \`failed-sub\` |
`);
  });
});
