import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';
import { longTest } from '../support/thorough.ts';
import { googleOfSuite } from './google.ts';

describe('A gradual roll-out, with stand-ins for gcloud and Terraform', function () {
  this.timeout(120_000);
  const { fresh } = googleOfSuite();
  const { services } = JSON.parse(readFileSync(new URL('infra/topology.json', packageRoot), 'utf8')) as {
    services: object;
  };
  const [first = '', another = ''] = Object.keys(services);
  /** The instances for customers behind a load balancer. */
  const second = `${another}-customers`;
  const APPLY = ['terraform', '-chdir=infra/terraform', 'apply', '-var=image_tag=v0.4.0'];
  const ASKED = ['infra/roll-out', 'europe-west1', ...APPLY];

  /** A project in which two services of the pipeline run, and one that is somebody else's. */
  const running = async (part = {}) => {
    const names = [first, second, 'blog'];
    const google = await fresh({
      made: 'all',
      revisions: Object.fromEntries(names.map((name) => [name, [`${name}-1`]])),
      traffic: Object.fromEntries(names.map((name) => [name, { [`${name}-1`]: 100 }])),
      ...part,
    });
    google.write('infra/terraform/terraform.tfvars', '');
    return google;
  };
  /** Where requests were sent, and when something was made or waited for. */
  const story = (calls: readonly string[]) =>
    calls.flatMap((call) => {
      const [, service, to] =
        /^gcloud run services update-traffic (\S+) --region=europe-west1 --to-(\S+)$/.exec(call) ?? [];
      if (service !== undefined) return [`${service}: ${to}`];
      return call.startsWith('terraform') ? ['apply'] : [];
    });
  const both = (to: (name: string) => string) => [first, second].map((name) => `${name}: ${to(name)}`);

  longTest('makes the revisions without a request, and gives them more and more', async () => {
    const google = await running();
    const { code, said } = await google.run(ASKED);
    expect([code, said.trimEnd().split('\n').at(-1)]).to.deep.equal([0, 'Rolled out.']);
    const calls = google.calls();
    expect(story(calls)).to.deep.equal([
      ...both((name) => `revisions=${name}-1=100`),
      'apply',
      ...both((name) => `revisions=${name}-2=10,${name}-1=90`),
      ...both((name) => `revisions=${name}-2=50,${name}-1=50`),
      ...both((name) => `revisions=${name}-2=100`),
      ...both(() => 'latest'),
    ]);
    expect(calls.filter((call) => call === 'sleep 60')).to.have.length(45);
    expect(google.world().traffic).to.deep.equal({
      [first]: { [`${first}-2`]: 100 },
      [second]: { [`${second}-2`]: 100 },
      blog: { 'blog-1': 100 },
    });
  });

  it('goes back to the old revisions as soon as one of the alerts opens', async () => {
    const google = await running({ alertAfter: 2 });
    const { code, said } = await google.run(ASKED);
    expect(code).to.equal(1);
    expect(said).to.contain('An alert has opened: projects/my-project/alerts/1 order-saga: Pushes fail');
    expect(story(google.calls())).to.deep.equal([
      ...both((name) => `revisions=${name}-1=100`),
      'apply',
      ...both((name) => `revisions=${name}-2=10,${name}-1=90`),
      ...both((name) => `revisions=${name}-1=100`),
    ]);
  });

  it('goes back, too, where it can not be known whether an alert is open', async () => {
    // The second question: the first one is asked before anything happens.
    const google = await running({ alertAfter: 99, alertsFailAfter: 1 });
    const { code, said } = await google.run(ASKED);
    expect(said).to.contain('PERMISSION_DENIED');
    expect(code).to.equal(1);
    expect(google.world().traffic[first]).to.deep.equal({ [`${first}-1`]: 100 });
    expect(story(google.calls()).slice(-2)).to.deep.equal(both((name) => `revisions=${name}-1=100`));
  });

  longTest('is not stopped by an alert that was open before: the release may be what closes it', async () => {
    const google = await running({ alertAfter: 0 });
    const { code, said } = await google.run(ASKED);
    expect(said).to.contain('Open already, and no reason to roll back: projects/my-project/alerts/1');
    expect(code).to.equal(0);
  });

  it('leaves all requests where they are if the new revisions can not be made', async () => {
    const google = await running({
      faults: [{ call: 'terraform', says: 'Error: is not ready and cannot serve traffic', times: 1 }],
    });
    const { code, said } = await google.run(ASKED);
    expect(said).to.contain('cannot serve traffic');
    expect(code).to.equal(1);
    expect(story(google.calls())).to.deep.equal([...both((name) => `revisions=${name}-1=100`), 'apply']);
  });

  it('starts from the revision that gets most requests, whatever was left by the last roll-out', async () => {
    const google = await running({
      revisions: { [first]: [`${first}-1`, `${first}-2`, `${first}-3`] },
      traffic: { [first]: { [`${first}-2`]: 10, [`${first}-1`]: 80, [`${first}-3`]: 10 } },
      alertAfter: 1,
    });
    await google.run(ASKED);
    expect(google.world().traffic).to.deep.equal({ [first]: { [`${first}-1`]: 100 } });
  });

  it('says how it is used where it is given nothing to do', async () => {
    const google = await running();
    const { code, said } = await google.run(['infra/roll-out', 'europe-west1']);
    expect(said).to.match(/^Usage: infra\/roll-out REGION COMMAND/);
    expect([code, google.calls()]).to.deep.equal([2, []]);
  });
});
