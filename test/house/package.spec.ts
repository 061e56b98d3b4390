import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { packageRoot, packageVersion } from '../../programs/config.ts';
import { longTest } from '../support/thorough.ts';

const root = fileURLToPath(packageRoot);
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** The settings of a project that uses the package, as strict as they come. */
const CONSUMER = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    module: 'nodenext',
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    rewriteRelativeImportExtensions: true,
    outDir: 'out',
  },
  include: ['*.ts'],
};

describe('The package', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'package-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  longTest('can be installed from its tarball, and the trip compiles and runs against it', function () {
    this.timeout(240_000);
    const run = (cwd: string, command: string, ...args: string[]) =>
      execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

    // Not in the project's own dist, from which other tests start programs at this moment.
    const packed = join(folder, 'packed');
    mkdirSync(packed);
    run(
      root,
      process.execPath,
      tsc,
      '-p',
      'tsconfig.package.json',
      '--outDir',
      join(packed, 'dist'),
      '--incremental',
      'false',
      '--tsBuildInfoFile',
      'null',
    );
    for (const file of ['package.json', 'README.md', 'LICENSE']) cpSync(join(root, file), join(packed, file));
    run(packed, 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
    const tarball = `order-saga-${packageVersion()}.tgz`;
    expect(readdirSync(folder)).to.include(tarball);

    const consumer = join(folder, 'consumer');
    mkdirSync(consumer);
    writeFileSync(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify(CONSUMER));
    for (const file of ['trip.ts', 'main.ts']) {
      cpSync(join(root, 'examples', 'trip', file), join(consumer, file));
    }
    run(
      consumer,
      'npm',
      'install',
      '--prefer-offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      join(folder, tarball),
    );
    run(consumer, process.execPath, tsc);
    const answer = run(consumer, process.execPath, join('out', 'main.js'));
    expect(answer.split('\n').slice(0, 2)).to.deep.equal(['ann: BOOKED', 'bob: BOOKED']);
    expect(answer).to.contain('The audit found 0 violations');
    // Neither chai nor mocha is there.
    const names = "console.log(Object.keys(await import('order-saga/test-kit')).join())";
    expect(run(consumer, process.execPath, '--input-type=module', '-e', names)).to.contain('simulate');
  });

  it('is all that the trip imports of this project', () => {
    const trip = join(root, 'examples', 'trip');
    const imports = readdirSync(trip).flatMap((file) =>
      [...readFileSync(join(trip, file), 'utf8').matchAll(/from '([^']+)'/g)].map(([, from = '']) => from),
    );
    expect(imports.filter((from) => from.startsWith('..'))).to.deep.equal([]);
  });
});
