import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { longTest } from '../support/thorough.ts';

const root = fileURLToPath(packageRoot);
const PRODUCT = [
  'package.json',
  'tsconfig.json',
  'tsconfig.package.json',
  'tsconfig.product.json',
  'biome.json',
  'pipeline.ts',
];
const ROOMS = ['adapters', 'data-init', 'exports', 'generate', 'infra', 'local', 'programs', 'saga'];

/** A name that no step of the shop will have. */
const NAME = 'step-on-trial';

/** A copy of the product in a folder of its own. */
function copyOfProduct(): string {
  const copy = mkdtempSync(join(tmpdir(), 'new-step-'));
  const isSpec = (path: string) => /\.spec\.(ts|js|js\.map)$/.test(path);
  // With what is compiled already, the compiler looks only at what changes.
  for (const room of ['dist', ...PRODUCT, ...ROOMS, 'shop', 'test-kit', ...serviceNames(pipeline)]) {
    cpSync(join(root, room), join(copy, room), { recursive: true, filter: (path) => !isSpec(path) });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

describe('A new step', () => {
  let copy = '';
  after(() => rmSync(copy, { recursive: true, force: true }));
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const node = (...args: string[]) => run(process.execPath, ...args);

  longTest(
    'is a folder and its line in the pipeline: it compiles, is formatted, and its spec passes',
    function () {
      this.timeout(120_000);
      copy = copyOfProduct();
      const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
      const advice = node(join('dist', 'programs', 'new-step.js'), NAME);
      const named = [...advice.matchAll(/(?<= )[\w-]+\/[\w./-]+\.(?:json|ts)/g)].map(([path]) => path);
      expect(
        named.filter((path) => !existsSync(join(path.startsWith(NAME) ? copy : root, path))),
      ).to.deep.equal([]);
      const [importing = '', line = ''] = advice.split('\n').filter((one) => one.startsWith('  '));

      const file = join(copy, 'pipeline.ts');
      const before = readFileSync(file, 'utf8');
      const name = line.trim().split(',')[0] ?? '';
      const above = /below the one (from '.+')/.exec(advice)?.[1] ?? '';
      const imported = before.replace(`${above};\n`, `${above};\n${importing.trim()}\n`);
      writeFileSync(file, imported.replace(/^( {2}steps: \[)$/m, `$1\n    ${name},`));
      node(tsc);
      run(join('node_modules', '.bin', 'biome'), 'check', '--vcs-enabled=false', 'pipeline.ts', NAME);
      node(join('node_modules', 'mocha', 'bin', 'mocha.js'), '--no-config', `dist/${NAME}/${NAME}.spec.js`);
    },
  );

  longTest('has one name, and a folder of its own', function () {
    // Each attempt is a process of its own.
    this.timeout(60_000);
    const attempt =
      (...args: string[]) =>
      () =>
        node(join('dist', 'programs', 'new-step.js'), ...args);
    expect(attempt(NAME)).to.throw(`There is a service ${NAME} already`);
    expect(attempt('saga')).to.throw('There is a folder saga/ already');
    for (const args of [[], ['one', 'other'], ['--name', 'gift']]) {
      expect(attempt(...args)).to.throw('Usage: npm run new-step -- NAME');
    }
  });
});
