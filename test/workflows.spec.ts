import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { packageRoot } from '../adapters/config.ts';

const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');

describe('The workflows', () => {
  const folder = fileURLToPath(new URL('.github/workflows/', packageRoot));
  const workflows = readdirSync(folder).map((name) => [name, text(`.github/workflows/${name}`)] as const);

  it('use actions of an exact version', () => {
    const used = workflows.flatMap(([, workflow]) =>
      [...workflow.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action),
    );
    expect(
      used.filter((action) => !/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/.test(action) && !action.startsWith('./')),
    ).to.deep.equal([]);
    expect(used).to.have.length.above(5);
  });

  it('may do nothing that they were not given', () => {
    for (const [name, workflow] of workflows) {
      expect(workflow, name).to.match(/^permissions:( \{\}|\n {2}contents: read)$/m);
      expect(workflow, name).to.not.match(/write-all|pull_request_target/);
    }
    const writing = workflows.filter(([, workflow]) => /: write$/m.test(workflow)).map(([name]) => name);
    expect(writing).to.deep.equal(['release.yml']);
  });

  it('run commands that the package has', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const run = workflows.flatMap(([, workflow]) =>
      [...workflow.matchAll(/npm run (\w[\w:-]*)/g)].map(([, script = '']) => script),
    );
    expect(run.filter((script) => !(script in scripts))).to.deep.equal([]);
  });
});
