import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { readConfiguration, stringsIn } from '../terraform/configuration.ts';

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
    const writing = workflows.flatMap(([name, workflow]) =>
      [...new Set(workflow.match(/[\w-]+: write$/gm))].map((right) => `${name} ${right}`),
    );
    expect(writing).to.deep.equal([
      // To prove to Google who it is.
      'deploy.yml id-token: write',
      'release.yml contents: write',
      'release.yml packages: write',
    ]);
  });

  it('deploy nothing until the repository has a project, and give no identity to a fork', () => {
    const deploy = text('.github/workflows/deploy.yml');
    const jobs = deploy.split(/^(?= {2}\w+:$)/m).filter((part) => /^ {4}(runs-on|uses):/m.test(part));
    expect(jobs.map((job) => job.slice(2, job.indexOf(':')))).to.deep.equal(['plan', 'check', 'deploy']);
    const [plan = '', check = '', rest = ''] = jobs;
    for (const job of [plan, check]) expect(job).to.match(/^ {4}if: (>-\n {6})?vars\.GOOGLE_PROJECT != ''/m);
    expect(rest).to.match(/^ {4}needs: check$/m);
    expect(plan).to.contain('github.event.pull_request.head.repo.full_name == github.repository');
    // Whoever opens a pull request decides what its plan runs.
    expect(plan).to.contain('service_account: saga-planner@').and.to.not.contain('saga-deployer@');
    expect(plan).to.not.match(/terraform .*apply/);
  });

  it('say in the guide which variables they read, and in no other place what it takes to deploy', () => {
    const deploy = text('.github/workflows/deploy.yml');
    const guide = text('infra/continuous-deployment.md');
    const read = new Set(deploy.match(/(?<=vars\.)\w+/g));
    expect(new Set([...guide.matchAll(/^gh variable set (\w+)/gm)].map(([, name]) => name))).to.deep.equal(
      read,
    );
  });

  it('let the deployer grant on the project what Terraform grants there, and nothing else', async () => {
    const [, list = ''] = /hasOnly\(\[(.*?)\]\)/.exec(text('infra/continuous-deployment.md')) ?? [];
    const { resource } = await readConfiguration();
    const granted = stringsIn(resource.google_project_iam_member)
      .join(' ')
      .match(/roles\/[\w.]+/g);
    expect(new Set(list.match(/roles\/[\w.]+/g))).to.deep.equal(new Set(granted));
  });

  it('run commands that the package has', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const run = workflows.flatMap(([, workflow]) =>
      [...workflow.matchAll(/npm run (\w[\w:-]*)/g)].map(([, script = '']) => script),
    );
    expect(run.filter((script) => !(script in scripts))).to.deep.equal([]);
  });

  it('start every service that there is, order from the first, and say what the order waits for by the broker', () => {
    const check = text('.github/workflows/check.yml');
    const [, services = ''] = /^ {6}SERVICES: (.+)$/m.exec(check) ?? [];
    expect(services.split(' ')).to.deep.equal(serviceNames(pipeline));
    expect(check).to.match(/docker compose .* up .*\$SERVICES$/m);
    const [entry] = serviceNames(pipeline);
    const portOf = (name: string) =>
      new RegExp(`^  ${name}:\\n(?:    .*\\n)*?    ports: \\['([\\d.]+:\\d+):`, 'm').exec(
        text('infra/compose.yaml'),
      )?.[1];
    expect(new Set(check.match(/(?<=http:\/\/)[\d.]+:\d+/g))).to.deep.equal(
      new Set([portOf(entry ?? ''), portOf('pubsub')]),
    );
  });

  it('may skip no suite for want of something that is not installed', () => {
    const asked = readdirSync(fileURLToPath(new URL('test/', packageRoot)), {
      recursive: true,
      encoding: 'utf8',
    })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => text(`test/${path}`).match(/(?<=process\.env\.)REQUIRE_[A-Z]+/g) ?? []);
    const set = text('.github/workflows/check.yml').match(/REQUIRE_[A-Z]+(?=: '1'$)/gm);
    expect(set).to.have.members([...new Set(asked)]);
  });

  it('tell of vulnerable packages in a job that nothing else can end before', () => {
    const [audit = '', ...others] = workflows.flatMap(([, workflow]) =>
      workflow.split(/^(?= {2}\w+:$)/m).filter((job) => job.includes('npm audit')),
    );
    expect(others).to.deep.equal([]);
    expect(audit.match(/(?<=run: ).+/g)).to.deep.equal(['npm audit --omit=dev --audit-level=high']);
  });
});
