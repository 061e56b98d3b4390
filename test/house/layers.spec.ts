import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';

/** The rules of the house, held by a test: who may know whom, and where effects may be. */

const root = fileURLToPath(packageRoot);
const SERVICES = ['frontend', 'order', 'inventory', 'payments', 'janitor'];
/** What only adapters may use: the world outside. Types of it are no use of it. */
const SDKS =
  /^(@google-cloud\/|@opentelemetry\/|google-auth-library$|express$|express-rate-limit$|helmet$|pino$)/;
/** Who needs other services' steps. */
const IMPORTS_STEPS = ['janitor'];

const resolved = (from: string, to: string): string => relative('.', normalize(join(dirname(from), to)));
const room = (path: string): string => path.split('/')[0] ?? '';

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/^(node_modules|dist)\//.test(path))
  .sort();
const sources = new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
const product = files.filter((path) => !path.endsWith('.spec.ts') && !/^(test|bench)\//.test(path));
const imports: Import[] = product.flatMap((from) =>
  [...(sources.get(from) ?? '').matchAll(/^(import|export)( type)? .*?from '([^']+)';$/gms)].map((match) => {
    const to = match[3] ?? '';
    return { from, to: to.startsWith('.') ? resolved(from, to) : to, typeOnly: match[2] !== undefined };
  }),
);

const broken = (rule: (one: Import) => boolean): string[] =>
  imports.filter(rule).map(({ from, to }) => `${from} imports ${to}`);

describe('The layout', () => {
  it('has a kernel that knows no service, no adapter and no SDK', () => {
    const allowed = (to: string) =>
      ['saga', 'shop'].includes(room(to)) || to === 'zod' || to === 'uuid' || to.startsWith('node:');
    expect(broken(({ from, to }) => room(from) === 'saga' && !allowed(to))).to.deep.equal([]);
  });

  it('has services that know only themselves and the kernel, except those that need the steps', () => {
    const foreign = ({ from, to }: Import) =>
      SERVICES.includes(room(from)) && SERVICES.includes(room(to)) && room(from) !== room(to);
    expect(broken((one) => foreign(one) && !IMPORTS_STEPS.includes(room(one.from)))).to.deep.equal([]);
  });

  it('reaches adapters from composition roots only', () => {
    const isRoot = (from: string) =>
      /\/(main|functions)\.ts$/.test(from) || ['programs', 'local', 'adapters'].includes(room(from));
    expect(broken(({ from, to }) => room(to) === 'adapters' && !isRoot(from))).to.deep.equal([]);
  });

  it('imports SDKs in adapters only', () => {
    expect(
      broken(({ from, to, typeOnly }) => SDKS.test(to) && room(from) !== 'adapters' && !typeOnly),
    ).to.deep.equal([]);
  });

  it('has neither clock nor chance in the kernel and the services: both come in as data', () => {
    const impure =
      /\bnew Date\(\)|\bDate\.now\(|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|\bperformance\.now\(/;
    const inside = product.filter((path) => room(path) === 'saga' || SERVICES.includes(room(path)));
    expect(inside.filter((path) => impure.test(sources.get(path) ?? ''))).to.deep.equal([]);
  });

  it('names files after one idea, in kebab-case', () => {
    expect(files.filter((path) => !/^[a-z-]+(\/[a-z0-9-]+)*(\.spec)?\.ts$/.test(path))).to.deep.equal([]);
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
