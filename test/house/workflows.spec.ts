import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
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
      used.filter(
        (action) =>
          !/^[\w-]+\/[\w-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/.test(action) && !action.startsWith('./'),
      ),
    ).to.deep.equal([]);
    expect(used).to.have.length.above(5);
  });

  it('use actions of an exact commit where they have an identity', () => {
    const used = text('.github/workflows/deploy.yml').match(/(?<=uses: )[^.].*/g) ?? [];
    expect(used).to.have.length.above(5);
    expect(
      used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action)),
    ).to.deep.equal([]);
  });

  it('end a step at the first command that fails, in a pipe or in another command, too', () => {
    for (const [name, workflow] of workflows) {
      expect(parse(workflow).defaults, name).to.deep.equal({ run: { shell: 'bash' } });
      // The outcome of a command in a word of another is lost.
      expect(workflow, name).to.not.match(/^ *(- run: )?(echo|printf) .*\$\((?!\()/m);
    }
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
    for (const job of [plan, rest]) expect(job).to.match(/^ {4}if: (>-\n {6})?vars\.GOOGLE_PROJECT != ''/m);
    expect(rest).to.match(/^ {4}needs: check$/m);
    // What is merged is checked whether it is deployed or not, and once.
    expect(check).to.match(/^ {4}if: github\.event_name == 'push'$/m);
    expect(parse(text('.github/workflows/check.yml')).on).to.have.all.keys('pull_request', 'workflow_call');
    expect(plan).to.contain('github.event.pull_request.head.repo.full_name == github.repository');
    // Whoever opens a pull request decides what its plan runs.
    expect(plan).to.contain('service_account: saga-planner@').and.to.not.contain('saga-deployer@');
    expect(plan).to.not.match(/terraform .*apply/);
  });

  it('say in the guide which variables they read, and in no other place what it takes to deploy', () => {
    const deploy = text('.github/workflows/deploy.yml');
    const guide = text('infra/continuous-deployment.md');
    for (const [context, command] of [
      ['vars', 'variable'],
      ['secrets', 'secret'],
    ]) {
      const read = new Set(deploy.match(new RegExp(`(?<=\\b${context}\\.)\\w+`, 'g')));
      const set = [...guide.matchAll(new RegExp(`gh ${command} set (\\w+)`, 'g'))].map(([, name]) => name);
      expect(new Set(set), context).to.deep.equal(read);
    }
  });

  it('give the deployer to this workflow on main in its environment, and nothing else of the repository', () => {
    const [, condition, role] =
      /attribute\.role=(.*) \? '(.*)' : 'plan'"/.exec(text('infra/continuous-deployment.md')) ?? [];
    const { deploy } = parse(text('.github/workflows/deploy.yml')).jobs;
    expect([role, condition?.split(' && ')]).to.deep.equal([
      'deploy',
      [
        "assertion.ref == 'refs/heads/main'",
        "assertion.workflow_ref.endsWith('/.github/workflows/deploy.yml@refs/heads/main')",
        `assertion.sub.endsWith(':environment:${deploy.environment}')`,
      ],
    ]);
  });

  it('hear in the roll-out that the run is canceled, and call the latest only what is rolled out', () => {
    const { steps } = parse(text('.github/workflows/deploy.yml')).jobs.deploy as {
      steps: { run?: string }[];
    };
    const runs = steps.map(({ run = '' }) => run);
    const at = (begin: string) => runs.findIndex((run) => run.includes(begin));
    expect(runs[at('infra/roll-out')]).to.match(/^exec infra\/roll-out /);
    expect(runs[at('gcloud builds submit')]).to.contain(',_LATEST=unscanned"');
    expect(at(':latest')).to.be.above(at('infra/roll-out'));
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
