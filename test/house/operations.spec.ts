import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createMetrics } from '../../adapters/telemetry/metrics.ts';
import { plugRoutes } from '../../local/plug/plug-routes.ts';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { allServices, serviceNames } from '../../saga/deliver/service.ts';
import { SETTINGS } from '../support/builders.ts';
import { runProgram } from '../support/child.ts';
import { topology } from '../support/pipeline.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { type Body, type Configuration, readConfiguration, stringsIn } from '../terraform/configuration.ts';

/** The pages of docs/operations/ are read when something is wrong: what they name must be there. */

const read = (file: string): string => readFileSync(new URL(file, packageRoot), 'utf8');
const FOLDER = 'docs/operations/';
const pages = new Map(
  readdirSync(new URL(FOLDER, packageRoot))
    .sort()
    .map((page) => [page, read(FOLDER + page)]),
);
const pageOf = (name: string): string => {
  const text = pages.get(name);
  if (text === undefined) throw new Error(`${FOLDER}${name} is missing`);
  return text;
};
const document = [...pages.values()].join('\n');

/** What a heading is called in a link. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
const headingsIn = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
/** Whether a file is there, and has the heading that is named. */
const isThere = (file: string, anchor: string | undefined): boolean => {
  if (!existsSync(new URL(file, packageRoot))) return false;
  return anchor === undefined || headingsIn(read(file)).map(anchorOf).includes(anchor);
};

/** The alerts are all the sections of their page: title and text. */
const alerts = new Map(
  pageOf('alerts.md')
    .split('\n## ')
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 2)]),
);

/** Every command that can be copied; of a session with its output, what was typed. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language, block = '']) => {
    // A line that goes on in the next one is one command.
    const lines = block.replaceAll(/\\\n\s*/g, '').split('\n');
    if (language === 'sh') return lines;
    return language === 'console'
      ? lines.flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []))
      : [];
  });
}
const commands = commandsIn(document);
const proseOf = (text: string): string => text.replaceAll(/^```\w+\n[\s\S]*?^```$/gm, '');
const prose = proseOf(document);
/** What stands in the text as code. */
const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\n', ' '));
const code = [...commands, ...spans];

/** All matches of a pattern in the code, each once. */
const named = (pattern: RegExp, texts: readonly string[] = code): string[] =>
  [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name)))].sort();

/** Those of the names that nobody knows. There must be some at all, or the pattern has lost its subject. */
function unknown(names: readonly string[], known: Iterable<string>): string[] {
  expect(names).to.not.be.empty;
  const all = new Set(known);
  return names.filter((name) => !all.has(name));
}

/** The product's own source, without its specs. */
const source = readdirSync(fileURLToPath(packageRoot), { recursive: true, encoding: 'utf8' })
  .filter((file) => !/^(node_modules|dist|test|bench)\//.test(file))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map(read)
  .join('\n')
  .replaceAll("\\'", "'");

interface Alert {
  readonly title: string;
  readonly meaning: string;
}

describe('docs/operations/', () => {
  let configuration: Configuration;
  before(async () => {
    configuration = await readConfiguration();
  });
  /** Whatever calls people. */
  const watched = () => {
    const { watched, objectives, outside } = configuration.locals as {
      watched: Record<string, Alert>;
      objectives: Record<string, Alert>;
      outside: Alert;
    };
    return [...Object.values(watched), ...Object.values(objectives), outside];
  };
  const resource = (type: string): Record<string, Body> => configuration.resource[type] ?? {};

  it('has a section for each alert, which begins with what the alert says, and no other', () => {
    const said = watched().map(({ title, meaning }) => [title, meaning]);
    expect(said.length).to.be.greaterThan(5);
    const written = [...alerts].map(([title, text]) => [title, text.split('\n\n')[0]?.replaceAll('\n', ' ')]);
    expect(written).to.have.deep.members(said);
  });

  it('says of each alert what customers notice, where to look, and what to do about which cause', () => {
    for (const [title, text] of alerts) {
      expect(text, title).to.match(/\n\*\*Customers\*\* \w/);
      expect(text, title).to.match(/\n```(sh|console)\n/);
      expect(text, title).to.match(/\n\| .* \| cause \| what to do \|\n/);
    }
  });

  it('is where each alert sends people', () => {
    const policies = Object.values(resource('google_monitoring_alert_policy')) as {
      documentation?: [{ content: string }];
    }[];
    const link =
      /docs\/operations\/alerts\.md#\$\{lower\(replace\((each\.value|local\.outside)\.title, " ", "-"\)\)\}$/;
    expect(policies).to.have.length(3);
    for (const { documentation } of policies) expect(documentation?.[0].content).to.match(link);
    expect(watched().map(({ title }) => title.toLowerCase().replaceAll(' ', '-'))).to.deep.equal(
      watched().map(({ title }) => anchorOf(title)),
    );
  });

  it('links to pages and headings that exist', () => {
    const links = [...pages].flatMap(([from, text]) =>
      [...proseOf(text).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].map(
        ([, to, anchor]) => [from, to || from, anchor] as const,
      ),
    );
    expect(links.length).to.be.greaterThan(10);
    const broken = links.filter(([, to, anchor]) => !isThere(FOLDER + to, anchor));
    expect(broken).to.deep.equal([]);
  });

  it('is led to by links to pages and headings that exist', () => {
    const leading = readdirSync(fileURLToPath(packageRoot), { recursive: true, encoding: 'utf8' })
      .filter((file) => !/^(node_modules|dist|\.git)\b|^docs\/operations\//.test(file))
      .filter((file) => /\.(md|tf|ts|ya?ml|example)$/.test(file));
    const links = leading.flatMap((file) =>
      [...read(file).matchAll(/\boperations\/([\w-]+\.md)(?:#([\w-]+))?/g)].map(
        ([, page = '', anchor]) => [file, page, anchor] as const,
      ),
    );
    expect(links.length).to.be.greaterThan(10);
    expect(links.filter(([, page, anchor]) => !isThere(FOLDER + page, anchor))).to.deep.equal([]);
  });

  it('has an index that names every page', () => {
    const index = pageOf('README.md');
    const others = [...pages.keys()].filter((page) => page !== 'README.md');
    expect(others.filter((page) => !index.includes(`](${page})`))).to.deep.equal([]);
  });

  it('names scripts of npm that exist, and what they take', async () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(unknown(named(/npm run (?:-s )?([\w:]+(?:-\w+)?)/g), Object.keys(scripts))).to.deep.equal([]);

    const usage = runProgram('programs/operate.js', ['--help']);
    await usage.exited;
    const takes = new Set(usage.output().match(/(?<=^ {2})[a-z-]+|--[a-z]+/gm));
    const calls = named(/npm run (?:-s )?saga -- ([^#|]*)/g).flatMap((call) =>
      call.replaceAll(/"[^"]*"/g, '').split(' '),
    );
    expect(
      unknown(
        calls.filter((word) => /^(--)?[a-z]+(-[a-z]+)*$/.test(word)),
        takes,
      ),
    ).to.deep.equal([]);

    const doctor = runProgram('programs/doctor.js', ['--help']);
    await doctor.exited;
    const answers = doctor.output().match(/--[a-z]+/g) ?? [];
    expect(unknown(named(/npm run doctor -- (--[a-z]+)/g), answers)).to.deep.equal([]);
  });

  it('names routes that exist', async () => {
    const routes = allServices(pipeline, await recordedPorts(), SETTINGS).flatMap((service) =>
      service.routes(),
    );
    const ofThisMachine = plugRoutes({ services: ['x'] } as never, () => {});
    const paths = [
      ...[...routes, ...ofThisMachine].map(({ method, path }) => `${method} ${path}`),
      // What every server answers besides: test/end-to-end/http.spec.ts, test/end-to-end/push.spec.ts and test/telemetry/metrics.spec.ts.
      ...['GET /livez', 'GET /readyz', 'GET /metrics', 'POST /push/{subscription}'],
    ];
    expect(
      unknown(named(/\b((?:GET|POST|PUT|DELETE) \/[\w{}/-]*)/g, [prose.replaceAll('\n', ' ')]), paths),
    ).to.deep.equal([]);
    const asked = named(/curl .*?(?:\$JANITOR|-raw url\)|127\.0\.0\.1:\d+)(\/[\w{}/-]*)/g, commands);
    expect(
      unknown(
        asked,
        paths.map((route) => route.split(' ')[1] ?? ''),
      ),
    ).to.deep.equal([]);
  });

  it('names topics and subscriptions that exist, and who reads them', () => {
    const { topics, subscriptions } = topology;
    expect(
      unknown(named(/\b([a-z]+(?:-[a-z]+)*-sub)\b/g, [document]), Object.keys(subscriptions)),
    ).to.deep.equal([]);
    expect(unknown(named(/gcloud pubsub topics [a-z-]+ ([\w-]+)/g), topics)).to.deep.equal([]);
    const rows = [...document.matchAll(/^\| `([\w-]+)` \| (\w+) \| `([\w-]+)` \|$/gm)];
    expect(rows).to.not.be.empty;
    for (const [, topic, service, subscription = ''] of rows) {
      expect(subscriptions[subscription], subscription).to.include({ topic, service });
    }
  });

  it('names metrics that are counted', () => {
    const counted: string[] = Object.keys(configuration.locals.log_lines as object);
    /** As the PromQL of Cloud Monitoring has them. */
    const sent: string[] = [];
    const note = (kind: 'counter' | 'histogram') => (name: string) => {
      counted.push(`${name.replaceAll('.', '_')}${kind === 'counter' ? '_total' : ''}`);
      sent.push(...(kind === 'counter' ? [''] : ['_bucket', '_sum', '_count']).map((part) => name + part));
      return {} as never;
    };
    createMetrics(pipeline, {
      createCounter: note('counter'),
      createHistogram: note('histogram'),
    } as never);
    const asked = named(/\b((?:saga|http_server)_[a-z_]+)\b/g).map((name) =>
      name.replace(/_(bucket|sum|count)$/, ''),
    );
    expect(unknown(asked, counted)).to.deep.equal([]);
    expect(unknown(named(/\{"([\w.]+)"[,}]/g), sent)).to.deep.equal([]);
    const queries = spans.filter((span) => /\{"[\w.]+"[,}]/.test(span));
    const labels = named(/[(,] ?"([\w.]+)"/g, queries);
    expect(labels).to.include('http.route');
    expect(labels.filter((label) => !source.includes(`'${label}'`))).to.deep.equal([]);
  });

  it('names no metric as Prometheus does where an alert has rung: alerts come with Cloud Monitoring', () => {
    for (const [title, text] of alerts) {
      expect(text, title).to.not.match(/\b(?:saga|http_server)_[a-z_]+[{[]/);
    }
  });

  it('gives commands that name no moment, no copy of the topology, and no variable that nobody sets', () => {
    expect(commands.filter((command) => /\d{4}-\d\d-\d\d/.test(command))).to.deep.equal([]);
    expect(commands.filter((command) => /\bfor \w+ in (?!\$\(|"\$@")/.test(command))).to.deep.equal([]);
    // Each page by itself: its reader has followed the index, and no other page.
    const setIn = (texts: readonly string[]) =>
      named(/\b([A-Z_]+)=\S/g, texts).concat(named(/\bfor ([A-Z_]+) in/g, texts));
    const used = (texts: readonly string[]) => named(/(?:\$|\bprocess\.env\.)([A-Z_]+)/g, texts);
    expect(used(commands)).to.not.be.empty;
    const atFirst = setIn(commandsIn(pageOf('README.md')));
    for (const [page, text] of pages) {
      const own = commandsIn(text);
      const known = new Set([...atFirst, ...setIn(own)]);
      expect(
        used(own).filter((name) => !known.has(name)),
        page,
      ).to.deep.equal([]);
    }
  });

  it('gives every POST a body: without its length Google answers 411', () => {
    const posts = code.filter((command) => /\bcurl .*-X POST/.test(command));
    expect(posts).to.not.be.empty;
    expect(posts.filter((command) => !/ -d /.test(command))).to.deep.equal([]);
  });

  it('runs programs that exist', () => {
    const programs = named(/\bnode dist\/([\w/-]+)\.js/g);
    expect(programs).to.not.be.empty;
    expect(programs.filter((program) => !existsSync(new URL(`${program}.ts`, packageRoot)))).to.deep.equal(
      [],
    );
  });

  it('names variables that the programs know', () => {
    const known = [
      ...named(/^([A-Z_]+)=/gm, [read('.env.example')]),
      ...pipeline.reasons,
      // What `npm run saga`, the functions framework and Google's buildpack read, and Google's word for a missing right.
      ...['SAGA_TOKEN', 'SAGA_OPERATOR', 'FUNCTION_TARGET', 'GOOGLE_NODEJS_VERSION', 'PERMISSION_DENIED'],
    ];
    const asked = named(/\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g).filter((name) => !name.startsWith('OTEL_'));
    expect(unknown(asked, known)).to.deep.equal([]);
  });

  it('asks the log for lines that are written, and for fields that they have', () => {
    // Whoever reads messages writes a line for each.
    const parties = Object.values(topology.subscriptions).flatMap(({ service }) => service ?? []);
    const outcomes = named(/^ {2}\| '(\w+)'/gm, [read('saga/step/turn.ts')]);
    expect(outcomes).to.include.members(['accepted', 'parked']);
    // What the runner says where a turn was not taken.
    outcomes.push('surprise');
    const written = [
      ...[...source.matchAll(/['"`]((?:frontend|janitor): [^'"`]+|HTTP \$[^`]+)['"`]/g)].map(
        ([, line = '']) =>
          line.replaceAll(/\$\{problem\.status\}|\$\{status\}/g, '503').replaceAll(/\$\{[^}]*\}/g, 'x'),
      ),
      ...parties.flatMap((party) =>
        outcomes.flatMap((outcome) => [`${party}: ${outcome}`, `${party}: ${outcome}, to be repeated`]),
      ),
    ];
    const filters = commands
      .filter((command) => command.includes('gcloud logging read'))
      .map((one) => one.replaceAll('\\"', '"'));
    const asked = filters.flatMap((filter) => [...filter.matchAll(/jsonPayload\.message(=~?)"([^"]+)"/g)]);
    expect(asked.length).to.be.greaterThan(5);
    const silent = asked.filter(
      ([, operator, text = '']) =>
        !written.some((line) => (operator === '=~' ? new RegExp(text).test(line) : line === text)),
    );
    expect(silent.map(([filter]) => filter)).to.deep.equal([]);
    expect(
      unknown(
        spans.filter((span) => /^(janitor|frontend): \w/.test(span)),
        written,
      ),
    ).to.deep.equal([]);
    const fields = named(/jsonPayload\.(\w+)/g, filters).filter((field) => field !== 'message');
    expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(source))).to.deep.equal([]);
    expect(fields).to.include.members(['step', 'outcome', 'uuid', 'error']);
  });

  it('quotes what the programs say', () => {
    const cells = [...alerts.values()].flatMap((text) => [...text.matchAll(/^\| (`.*?) \| .* \| .* \|$/gm)]);
    const sentences = cells.flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one),
    );
    // What an example puts into a sentence is not in the source.
    const pieces = sentences.flatMap((one) =>
      one.split(/…|; the order was not accepted|\d+|\b(?:item )?wotsit\b|\b(?:user )?jack\b|inventory\//),
    );
    const long = pieces.map((piece) => piece.trim()).filter((piece) => /^\S+( \S+){2,}/.test(piece));
    expect(long.length).to.be.greaterThan(15);
    expect(long.filter((piece) => !source.includes(piece.replace(/[.,;:]$/, '')))).to.deep.equal([]);
  });

  it("names Terraform's own things as they are called", () => {
    const services = serviceNames(pipeline);
    const { jobs } = configuration.locals as { jobs: object };
    const names = (type: string) => Object.values(resource(type)).map(({ name }) => String(name));
    const readers = Object.values(topology.subscriptions).flatMap(({ service }) => service ?? []);
    expect(unknown(named(/output -(?:raw|json) (\w+)/g), Object.keys(configuration.output))).to.deep.equal(
      [],
    );
    expect(unknown(named(/gcloud run jobs execute ([\w-]+)/g), Object.keys(jobs))).to.deep.equal([]);
    expect(unknown(named(/gcloud run services [a-z-]+ (\w[\w-]*)/g), services)).to.deep.equal([]);
    expect(unknown(named(/service_name="([\w-]+)"/g), services)).to.deep.equal([]);
    expect(unknown(named(/--service=([\w-]+)/g), services)).to.deep.equal([]);
    expect(unknown(named(/worker-pools update ([\w-]+)-worker/g), readers)).to.deep.equal([]);
    expect(unknown(named(/scheduler jobs \w+ ([\w-]+)/g), names('google_cloud_scheduler_job'))).to.deep.equal(
      [],
    );
    expect(unknown(named(/job_id="([\w-]+)"/g), names('google_cloud_scheduler_job'))).to.deep.equal([]);
    const addresses = Object.entries(configuration.resource).flatMap(([type, labels]) =>
      Object.keys(labels).map((label) => `${type}.${label}`),
    );
    expect(unknown(named(/\b((?:google_\w+|terraform_data)\.\w+)/g), addresses)).to.deep.equal([]);
    const variables = named(/^(\w+) = "/g, spans);
    expect(unknown(variables, Object.keys(configuration.variable))).to.deep.equal([]);
  });

  it('deploys a new step in stages that bring all that belongs to a service, and the rest in the end', () => {
    const stages = commands
      .filter((command) => / apply\b/.test(command) && command.includes('# stage'))
      .map((command) => [...command.matchAll(/-target='?([^'\s]+)'?/g)].map(([, address]) => address ?? ''));
    expect(stages.at(-1)).to.deep.equal([]);
    expect(stages.slice(0, -1).filter((targets) => targets.length === 0)).to.deep.equal([]);
    const { jobs } = configuration.locals as { jobs: object };
    const known = [...serviceNames(pipeline), ...Object.keys(jobs), 'loyalty'];
    const deployed = stages.map((targets) => named(/\["([\w-]+)"\]/g, targets));
    expect(deployed.flat().filter((name) => !known.includes(name))).to.deep.equal([]);
    const [, janitor = [], frontend = [], loyalty = [], stepBefore = []] = stages;
    const service = (name: string) => `google_cloud_run_v2_service.service["${name}"]`;
    const worker = (name: string) => `google_cloud_run_v2_worker_pool.worker["${name}"]`;
    expect(frontend).to.deep.equal([service('frontend')]);
    const last = pipeline.steps.at(-1)?.name ?? '';
    expect(stepBefore).to.deep.equal([service(last), worker(last)]);
    expect(janitor).to.deep.equal([
      service('janitor'),
      worker('janitor'),
      'google_cloud_run_v2_job.job["doctor"]',
    ]);
    // Nothing depends on it, so no other target brings it; without it the new service hears of nothing.
    expect(loyalty).to.deep.equal([
      service('loyalty'),
      worker('loyalty'),
      'google_cloud_run_v2_service_iam_member.push["loyalty"]',
    ]);
  });

  it('moves the rights to the restored database before there is one, by a command that changes nothing else', () => {
    const restore = commandsIn(pageOf('backup-and-restore.md'));
    const places = [
      /apply -target=google_project_iam_member\.database_user -var=firestore_database=\$RESTORED$/,
      /gcloud firestore databases clone/,
      /gcloud firestore databases restore/,
      /infra\/terraform apply +#/,
    ].map((pattern) => restore.findIndex((command) => pattern.test(command)));
    expect(places).to.not.include(-1);
    expect(places).to.deep.equal([...places].sort((one, other) => one - other));
    expect(dependenciesOf('google_project_iam_member.database_user')).to.have.members([
      'google_project_service.api',
      'google_service_account.identity',
    ]);
  });

  it('asks after a restore for the orders that are no longer paid, whatever they had come to behind their payment', () => {
    const from = pipeline.steps.findIndex(({ leadsTo }) => leadsTo === 'PAID');
    const paid = pipeline.steps
      .slice(from)
      .flatMap(({ waits, leadsTo }) => [...(waits ? [waits.as] : []), leadsTo]);
    expect(pageOf('backup-and-restore.md')).to.contain(`grep -vE 'is (${paid.join('|')})'`);
  });

  it('takes the messages from functions before services read the restored database: they would ask for the old one', () => {
    const page = pageOf('backup-and-restore.md');
    const places = ['functions = []', 'infra/terraform apply  ', 'deploy each function again'].map((words) =>
      page.indexOf(words),
    );
    expect(places).to.not.include(-1);
    expect(places).to.deep.equal([...places].sort((one, other) => one - other));
  });

  /** What Terraform plans together with a resource that is targeted: all that it refers to, directly or not. */
  function dependenciesOf(target: string): string[] {
    const reached = new Set<string>();
    const follow = (body: unknown) => {
      for (const [address, kind = '', label = ''] of stringsIn(body)
        .join('\n')
        .matchAll(/\b(local|(?:data\.)?google_\w+)\.(\w+)/g)) {
        if (reached.has(address)) continue;
        reached.add(address);
        follow(kind === 'local' ? configuration.locals[label] : resource(kind)[label]);
      }
    };
    const [type = '', label = ''] = target.split('.');
    follow(resource(type)[label]);
    return [...reached].filter((address) => !address.startsWith('local.'));
  }
});
