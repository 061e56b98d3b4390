import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import {
  CANCELED,
  CANCELED_BY_OPERATOR,
  DEADLINE_EXCEEDED,
  FAILING,
  PAUSED,
  RECEIVED,
  RESUMED,
  STEP_FAILED,
} from '../../saga/ledger/ledger.ts';

/** The rules of the house, held by a test: who may know whom, and where effects may be. */

const root = fileURLToPath(packageRoot);
const STEPS = pipeline.steps.map(({ name }) => name);
const SERVICES = serviceNames(pipeline);
/** What only adapters may use: the world outside. Types of it are no use of it. */
const SDKS =
  /^(@google-cloud\/|@opentelemetry\/|google-auth-library$|express$|express-rate-limit$|jose$|pino$)/;

const resolved = (from: string, to: string): string => relative('.', normalize(join(dirname(from), to)));
const room = (path: string): string => path.split('/')[0] ?? '';

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const everything = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => !/^(node_modules|dist)\//.test(path))
  .sort();
const files = everything.filter((path) => /\.tsx?$/.test(path));
const sources = new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
const product = files.filter((path) => !path.endsWith('.spec.ts') && !/^(test|bench)\//.test(path));
const IMPORT = /^(?:import|export)( type)? .*?from '([^']+)';$|\bimport\(()'([^']+)'\)/gms;
const imports: Import[] = product.flatMap((from) =>
  [...(sources.get(from) ?? '').matchAll(IMPORT)].map(([, type, named, , called = '']) => {
    const to = named ?? called;
    return { from, to: to.startsWith('.') ? resolved(from, to) : to, typeOnly: type !== undefined };
  }),
);
/** What runs in a browser, where no kernel and no service is. */
const isPage = (path: string): boolean => path.startsWith('frontend/page/');
/** Whether it is a file of ours, and not a package. */
const isOurs = (to: string): boolean => sources.has(to);

/** What is run: what the package, `infra/` and the documents call `dist/….js`, and what another file starts from where it is. */
const programs = [
  ...everything
    .filter((path) => /^(package\.json|infra\/Dockerfile|(infra|docs)\/.*\.(yaml|tf|md))$/.test(path))
    .flatMap((path) => [...readFileSync(join(root, path), 'utf8').matchAll(/\bdist\/([\w/.-]+)\.js\b/g)])
    .map(([, to]) => `${to}.ts`),
  'frontend/page/page.tsx',
  ...product.flatMap((from) =>
    [...(sources.get(from) ?? '').matchAll(/new URL\('([\w/.-]+)\.js', import\.meta\.url\)/g)].map(([, to]) =>
      resolved(from, `${to}.ts`),
    ),
  ),
];

/** These files, and all that they import. */
function reachedFrom(paths: readonly string[]): ReadonlySet<string> {
  const reached = new Set(paths);
  // What is added on the way is looked at, too.
  for (const path of reached) for (const { from, to } of imports) if (from === path) reached.add(to);
  return reached;
}

/** A source without its comments. */
const codeOf = (source: string): string => source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm, '');

const broken = (rule: (one: Import) => boolean): string[] =>
  imports.filter(rule).map(({ from, to }) => `${from} imports ${to}`);

describe('The layout', () => {
  it('has a room for each service, named after it', () => {
    const rooms = new Set(product.map(room));
    expect(SERVICES.filter((name) => !rooms.has(name))).to.deep.equal([]);
  });

  it('has a spec in the room of each step that says what comes of it', () => {
    const specs = files.filter((path) => path.endsWith('.spec.ts'));
    const runs = (path: string) => /\b(outcomeOf|takeStep)\(/.test(sources.get(path) ?? '');
    const untold = STEPS.filter((name) => !specs.some((path) => room(path) === name && runs(path)));
    expect(untold.map((name) => `no spec in ${name}/ asks outcomeOf what comes of the step`)).to.deep.equal(
      [],
    );
  });

  it('has no file without use: each is a program, or something that a program imports', () => {
    const reached = reachedFrom(programs);
    const dead = product.filter((path) => !reached.has(path));
    expect(
      dead.map((path) => `${path} is imported by nothing that runs: use it, or delete it`),
    ).to.deep.equal([]);
  });

  it('has a kernel that knows itself, zod, uuid and Node, and nothing else', () => {
    const allowed = (to: string) =>
      room(to) === 'saga' || to === 'zod' || to === 'uuid' || to.startsWith('node:');
    expect(broken(({ from, to }) => room(from) === 'saga' && !allowed(to))).to.deep.equal([]);
  });

  /** Which rooms the files of a room may know, besides their own. */
  const mayKnow = (from: string, ...rooms: readonly string[]) =>
    expect(
      broken((one) => room(one.from) === from && isOurs(one.to) && ![from, ...rooms].includes(room(one.to))),
    ).to.deep.equal([]);

  it('has adapters that know the kernel, and no service, no shop and no saga', () => {
    mayKnow('adapters', 'saga');
  });

  it('has a shop that knows the kernel alone', () => {
    mayKnow('shop', 'saga');
  });

  it('has services that know the shop and the kernel, and never another service', () => {
    for (const name of SERVICES) mayKnow(name, 'shop', 'saga');
  });

  it('knows the steps in pipeline.ts and nowhere else', () => {
    const foreign = ({ from, to }: Import) => STEPS.includes(room(to)) && room(from) !== room(to);
    expect(new Set(imports.filter(foreign).map(({ from }) => from))).to.deep.equal(new Set(['pipeline.ts']));
  });

  it('knows the saga of the shop in programs only: everybody else is given it', () => {
    const isProgram = (from: string) => ['programs', 'local'].includes(room(from));
    expect(broken(({ from, to }) => to === 'pipeline.ts' && !isProgram(from))).to.deep.equal([]);
  });

  it('reaches adapters from programs only', () => {
    const isProgram = (from: string) =>
      ['programs', 'local', 'adapters', 'exports', 'test-kit'].includes(room(from));
    expect(broken(({ from, to }) => room(to) === 'adapters' && !isProgram(from))).to.deep.equal([]);
  });

  it('lets no program pull the plug: only a stack on this machine can', () => {
    const started = product.filter((path) => room(path) === 'programs');
    for (const stack of ['local/engine.ts', 'local/start-emulators.ts']) {
      expect(reachedFrom([stack])).to.include('local/plug/plug-routes.ts');
    }
    expect([...reachedFrom(started)].filter((path) => path.startsWith('local/plug/'))).to.deep.equal([]);
  });

  it('has a test kit that knows the kernel, the embedded engine, and no saga', () => {
    const isEmbedded = (to: string) => to.startsWith('adapters/memory/');
    const allowed = (to: string) => !isOurs(to) || ['saga', 'test-kit'].includes(room(to)) || isEmbedded(to);
    expect(broken(({ from, to }) => room(from) === 'test-kit' && !allowed(to))).to.deep.equal([]);
  });

  it('has a test kit that asks for a test framework in its contracts only', () => {
    const asks = ({ from, to }: Import) =>
      room(from) === 'test-kit' && ['chai', 'mocha'].includes(to) && !from.startsWith('test-kit/contracts/');
    expect(broken(asks)).to.deep.equal([]);
  });

  describe('keeps the words of the shop out of the kernel and the adapters', () => {
    const OF_THE_KERNEL: readonly string[] = [
      ...[RECEIVED, RESUMED, PAUSED, FAILING, CANCELED],
      ...[DEADLINE_EXCEEDED, CANCELED_BY_OPERATOR, STEP_FAILED],
    ];
    const learned = pipeline.acts.flatMap(({ learns }) => Object.keys(learns.shape));
    const patterns = [
      ...[...pipeline.statuses, ...pipeline.reasons]
        .filter((word) => !OF_THE_KERNEL.includes(word))
        .map((word) => `\\b${word}\\b`),
      // Whether an object has a member of that name is another question.
      ...[...pipeline.statuses.map((status) => pipeline.topicOf(status)), ...SERVICES].map((name) =>
        // Every emitter of Node has events of this name, and every log a level.
        name === 'error'
          ? '\\b(topic|announces?|publish\\w*)\\b.{0,20}[\'"`]error[\'"`]'
          : `['"\`]${name}['"\`](?! in )`,
      ),
      ...[
        ...[...pipeline.orderFields, ...learned],
        ...pipeline.accounts.flatMap(({ balance, whole }) => [balance, whole ?? balance]),
        // What is called is no field.
      ].map((field) => `['"\`.]${field}\\b(?!\\()|[{,] ?${field} ?[,}=]`),
    ];
    const spelling = new RegExp(patterns.join('|'));
    /** The lines of code that spell a status, a topic, a reason, a service, or a field of an order or an account. */
    const spelledIn = (source: string): string[] =>
      codeOf(source)
        .split('\n')
        // What a line imports is no field, and of whom it may be is ruled above.
        .filter((line) => spelling.test(line) && !line.startsWith('import '));

    it('in every file of theirs', () => {
      const spelled = product
        .filter((path) => ['saga', 'adapters'].includes(room(path)))
        .flatMap((path) => spelledIn(sources.get(path) ?? '').map((line) => `${path}: ${line.trim()}`));
      expect(spelled).to.deep.equal([]);
    });

    it('however they are spelled', () => {
      const wrong = [
        `if (status === 'PAID') return;`,
        `const reason = INSUFFICIENT_CREDIT;`,
        `await publish('error', ledger);`,
        `const topic = 'order-created';`,
        `if (by === 'payments') return;`,
        `const { user, at } = ledger;`,
        `const { at, items } = ledger;`,
        `return ledger.lines.length;`,
        `const paid = ledger['charged'];`,
        `stock.quantity -= 1;`,
      ];
      expect(spelledIn(wrong.join('\n'))).to.deep.equal(wrong);
      const right = [
        `if (status === CANCELED) return; // as PAID once was`,
        `/** What 'payments' does. */`,
        `stream.once('error', stop);`,
        `if ('order' in parsed) return parsed.order;`,
        `const schema = { type: 'array', items: {} };`,
      ];
      expect(spelledIn(right.join('\n'))).to.deep.equal([]);
    });
  });

  it('has a page that knows no more of the services than types, and no service that knows the page', () => {
    const isForeign = ({ from, to, typeOnly }: Import) =>
      isPage(from) && isOurs(to) && !isPage(to) && !typeOnly;
    const knowsIt = ({ from, to }: Import) => !isPage(from) && isPage(to);
    expect(broken((one) => isForeign(one) || knowsIt(one))).to.deep.equal([]);
  });

  it('imports SDKs in adapters only', () => {
    expect(
      broken(({ from, to, typeOnly }) => SDKS.test(to) && room(from) !== 'adapters' && !typeOnly),
    ).to.deep.equal([]);
  });

  it('has neither clock nor chance in the kernel and the services: both come in as data', () => {
    const impure =
      /\bnew Date\(\)|\bDate\.now\(|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|\bperformance\.now\(/;
    const inside = product.filter(
      (path) => ['saga', 'shop', ...SERVICES].includes(room(path)) && !isPage(path),
    );
    expect(inside.filter((path) => impure.test(sources.get(path) ?? ''))).to.deep.equal([]);
  });

  it('names files after one idea, in kebab-case', () => {
    expect(files.filter((path) => !/^[a-z-]+(\/[a-z0-9-]+)*(\.spec)?\.tsx?$/.test(path))).to.deep.equal([]);
    expect(files.filter((path) => /\/(utils?|helpers?|common|index)\.ts$/.test(path))).to.deep.equal([]);
  });

  it('never promises what no broker keeps', () => {
    expect(
      files.filter(
        (path) => /exactly-once delivery/i.test(sources.get(path) ?? '') && !path.startsWith('test/'),
      ),
    ).to.deep.equal([]);
  });
});
