import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { packageRoot } from '../../programs/config.ts';

/** The step of the workflow, with a stand-in for Terraform, which can't get the provider here. */
describe('The hashes of the provider', () => {
  const workflow = readFileSync(new URL('.github/workflows/check.yml', packageRoot), 'utf8');
  const [, indented = ''] =
    /- name: Get the provider.*\n(?: {8}#.*\n)* {8}run: \|\n((?: {10}.*\n)+)/.exec(workflow) ?? [];
  /** How GitHub starts the shells that a workflow may name; without a name, a pipe has the outcome of its end. */
  const { shell = 'none' } =
    (parse(workflow) as { defaults?: { run?: { shell?: string } } }).defaults?.run ?? {};
  const options = { bash: ['--noprofile', '--norc', '-eo', 'pipefail'] }[shell] ?? ['-e'];
  const script = indented.replaceAll(/^ {10}/gm, '');

  function run({ isCommitted }: { isCommitted: boolean }): Record<'asked' | 'said' | 'summary', string> {
    const root = mkdtempSync(join(tmpdir(), 'order-saga-lock-'));
    const path = (...names: string[]) => join(root, ...names);
    mkdirSync(path('infra', 'terraform'), { recursive: true });
    if (isCommitted) writeFileSync(path('infra', 'terraform', '.terraform.lock.hcl'), 'committed');
    writeFileSync(path('asked'), '');
    writeFileSync(path('summary'), '');
    writeFileSync(
      path('terraform'),
      `#!/bin/sh\necho "$*" >> ${path('asked')}\n[ "$1" = providers ] && echo made > .terraform.lock.hcl\nexit 0\n`,
    );
    chmodSync(path('terraform'), 0o755);
    const env = { PATH: `${root}:${process.env.PATH}`, GITHUB_STEP_SUMMARY: path('summary') };
    const said = execFileSync('bash', [...options, '-c', script], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    const [asked, summary] = ['asked', 'summary'].map((name) => readFileSync(path(name), 'utf8'));
    rmSync(root, { recursive: true });
    return { asked: asked ?? '', said, summary: summary ?? '' };
  }

  it('are those that were committed, or the workflow fails', () => {
    expect(run({ isCommitted: true })).to.deep.equal({
      asked: 'init -backend=false -input=false -lockfile=readonly\n',
      said: '',
      summary: '',
    });
  });

  it('are asked of the registry for all platforms while none are committed, and shown to be committed', () => {
    const { asked, said, summary } = run({ isCommitted: false });
    expect(asked.split('\n')[0]).to.match(
      /^providers lock( -platform=(linux|darwin|windows)_a(md|rm)64){5}$/,
    );
    expect(said).to.contain('::warning::Commit infra/terraform/.terraform.lock.hcl');
    expect(summary).to.equal('made\n');
  });
});
