import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';
import { readersOf } from '../../saga/deliver/topology.ts';
import { type Child, childOf } from '../support/child.ts';
import { topology } from '../support/pipeline.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';
import { longSuite, longTest } from '../support/thorough.ts';
import { gcloudIgnore, uploadedFiles } from '../support/uploaded-files.ts';

/**
 * What Google builds from a source that gcloud uploads, without Google: a function by its buildpack for Node.js, and the image.
 * The steps of the buildpack are those of cmd/nodejs/npm and cmd/nodejs/functions_framework in GoogleCloudPlatform/buildpacks,
 * as of August 2026.
 */

const root = fileURLToPath(packageRoot);
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(text('package.json'));

describe('What gcloud uploads to build from', () => {
  const uploaded = uploadedFiles(root);

  it('has all source that runs, and what the image and the functions are compiled by', () => {
    const source = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (path) => /\.tsx?$/.test(path) && !/\.spec\.ts$|^(node_modules|dist|test|bench)\//.test(path),
    );
    expect(source).to.include.members(['programs/function.ts', 'frontend/page/page.tsx']);
    expect(uploaded).to.include.members([
      ...source,
      ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.product.json'],
      ...['infra/Dockerfile', '.dockerignore', 'data-init/data.json', 'frontend/page/index.html'],
    ]);
  });

  it('has no secret, nothing that was made here, and no tests', () => {
    const ignored = gcloudIgnore(root);
    for (const path of [
      ...[
        '.env',
        '.env.production',
        'gha-creds-0123456789abcdef.json',
        'infra/terraform/terraform.tfvars',
        'infra/terraform/terraform.tfstate',
      ],
      ...['infra/terraform/.terraform/', '.git/', 'node_modules/', 'dist/', '.data/', 'start.log'],
      ...['test/', 'bench/', 'docs/', 'order/create-order.spec.ts'],
    ]) {
      expect(ignored.ignores(path), path).to.equal(true);
    }
  });

  it('has what Docker takes from it, and the two files that say how', () => {
    const added = text('.gcloudignore').match(/(?<=^!).+/gm) ?? [];
    expect(added).to.have.members(['.dockerignore', 'infra/Dockerfile']);
    expect(text('.gcloudignore').match(/(?<=^#!include:).+/gm)).to.include('.dockerignore');
    expect(text('infra/cloudbuild.yaml')).to.contain(
      `--file=${added.find((one) => one.endsWith('Dockerfile'))}`,
    );
  });

  longTest('is what gcloud itself would list', async function () {
    this.timeout(60_000);
    const listed = await promisify(execFile)('gcloud', ['meta', 'list-files-for-upload'], {
      cwd: root,
    }).catch(({ code }: { code: unknown }) => {
      if (code !== 'ENOENT') throw new Error(`gcloud failed: ${code}`);
    });
    if (listed === undefined) {
      process.stdout.write(
        '*** What gcloud would upload is not compared: there is no gcloud on this machine\n',
      );
      this.skip();
    }
    expect(uploaded).to.deep.equal(listed.stdout.trim().split('\n').sort());
  });
});

describe('What the buildpack for Node.js looks at', () => {
  it('is a main that is compiled from a source, and the framework among the dependencies', () => {
    expect(manifest.main).to.match(/^dist\/.*\.js$/);
    expect(existsSync(join(root, manifest.main.replace(/^dist\/(.*)\.js$/, '$1.ts')))).to.equal(true);
    expect(manifest.dependencies).to.include.keys('@google-cloud/functions-framework');
  });

  it('is a script that compiles what runs, and nothing for browsers', () => {
    expect(manifest.scripts['gcp-build']).to.equal('tsc --project tsconfig.product.json');
  });

  it('is no file that would make it build something else', () => {
    // A Dockerfile in the root, another package manager, another command.
    const files = [
      'Dockerfile',
      'Procfile',
      'project.toml',
      'yarn.lock',
      'pnpm-lock.yaml',
      'bun.lock',
      'bun.lockb',
    ];
    expect(files.filter((file) => existsSync(join(root, file)))).to.deep.equal([]);
    expect(manifest.scripts).to.not.have.any.keys(
      'apphosting:build',
      'preinstall',
      'install',
      'postinstall',
      'prepare',
    );
  });

  it('is not what a project gets that installs the package', () => {
    expect(import.meta.resolve(manifest.name)).to.equal(new URL('dist/exports/kernel.js', packageRoot).href);
  });
});

/** A folder with what gcloud would upload. */
function uploadedTo(folder: string): string {
  for (const file of uploadedFiles(root)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  return folder;
}

/** Runs a command as a builder does: with nothing of this shell, and here without a network. */
const run = (cwd: string, command: string, ...args: string[]) =>
  execFileSync(command, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, npm_config_offline: 'true', npm_config_audit: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

longSuite('A function that is built from what gcloud uploads', function () {
  this.timeout(240_000);
  let folder = '';
  let child: Child | undefined;
  before(() => {
    folder = uploadedTo(mkdtempSync(join(tmpdir(), 'function-')));
    // In the place of `npm ci`, which installs development dependencies, too, if there is something to run.
    cpSync(join(root, 'node_modules'), join(folder, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    run(folder, 'npm', 'run', 'gcp-build');
    run(folder, 'npm', 'prune', '--production');
    run(folder, 'node', '--check', manifest.main);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(async () => {
    child?.process.kill('SIGKILL');
    await child?.exited;
  });

  /** The container as Google starts it, with an environment like that of Terraform, but for emulators that are not there. */
  function start(target: string): Child {
    const loopbackOnly = new URL('dist/test/support/loopback-only.js', packageRoot);
    const container = spawn('/bin/bash', ['-c', 'node_modules/.bin/functions-framework'], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'production',
        NODE_OPTIONS: `--max-old-space-size=409 --import=${loopbackOnly}`,
        FUNCTION_TARGET: target,
        FUNCTION_SIGNATURE_TYPE: 'http',
        K_SERVICE: `${target}-function`,
        PORT: '0',
        BACKEND: 'gcp',
        PROJECT_ID: 'demo-saga',
        PUSH_AUTH: 'platform',
        SUBSCRIBER: 'push',
        PUBSUB_EMULATOR_HOST: '127.0.0.1:1',
        FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = childOf(container, target);
    return child;
  }

  it('has lost what only the build needs, and has no page', () => {
    const { packages } = JSON.parse(text('package-lock.json')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const forBuilds = Object.keys(packages).filter((path) => packages[path]?.dev);
    expect(forBuilds).to.include('node_modules/typescript');
    expect(forBuilds.filter((path) => existsSync(join(folder, path, 'package.json')))).to.deep.equal([]);
    expect(existsSync(join(folder, 'dist/frontend/public'))).to.equal(false);
  });

  for (const target of readersOf(topology)) {
    it(`starts as ${target}, and takes what comes by its subscriptions, and by no other`, async () => {
      const line = await start(target).line(/^listens on /);
      const post = async (subscription: string) => {
        const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
        const { status } = await fetch(`${line.replace('listens on ', '')}/push/${subscription}`, request);
        return status;
      };
      for (const [subscription, { service }] of Object.entries(topology.subscriptions)) {
        // What was posted is no push, and that is only looked at if the subscription is its own.
        expect(await post(subscription), subscription).to.equal(service === target ? 400 : 404);
      }
    });
  }

  it('does not start as what reads no messages, and says what does', async () => {
    const { exited, output } = start('frontend');
    expect(await exited).to.equal(1);
    expect(output()).to.contain(
      `FUNCTION_TARGET must name a service that reads messages: ${readersOf(topology).join(', ')}`,
    );
  });
});

longSuite('The image that is built from what gcloud uploads', function () {
  this.timeout(240_000);
  it('has the programs and the page', async () => {
    await inTemporaryFolder(async (folder) => {
      uploadedTo(folder);
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      run(folder, 'npm', 'run', '-s', 'build');
      for (const file of ['programs/service.js', 'programs/data-init.js', 'frontend/public/index.html']) {
        expect(existsSync(join(folder, 'dist', file)), file).to.equal(true);
      }
    });
  });
});
