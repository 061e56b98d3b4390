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
  const [first = ''] = Object.keys(services);
  /** The instances for customers behind a load balancer. In other languages than C their name comes before the first one's. */
  const second = `${first}-customers`;
  const APPLY = ['terraform', '-chdir=infra/terraform', 'apply', '-var=image_tag=v0.4.0'];
  const ASKED = ['infra/roll-out', 'europe-west1', ...APPLY];

  /** A project in which two services of the pipeline run, and one that is somebody else's. */
  const running = async (part = {}) => {
    const names = [first, second, 'blog'];
    const google = await fresh({
      made: 'all',
      revisions: Object.fromEntries(names.map((name) => [name, [`${name}-1`]])),
      traffic: Object.fromEntries(names.map((name) => [name, { latest: 100 }])),
      ...part,
    });
    google.write('infra/terraform/terraform.tfvars', '');
    return google;
  };
  const HINT = '  gcloud run services update-traffic SERVICE --region=europe-west1 --to-latest\n';
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
      [first]: { latest: 100 },
      [second]: { latest: 100 },
      blog: { latest: 100 },
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
    expect(said)
      .to.contain('cannot serve traffic')
      .and.to.match(/All requests go to the old revisions.*\n.*\n$/);
    expect([code, said.endsWith(HINT)]).to.deep.equal([1, true]);
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

  it('says how to let go of what is pinned where the pinning stops halfway', async () => {
    const call = `gcloud run services update-traffic ${second}`;
    const google = await running({ faults: [{ call, says: 'ERROR: PERMISSION_DENIED', times: 1 }] });
    const { code, said } = await google.run(ASKED);
    expect([code, said.endsWith(HINT)]).to.deep.equal([1, true]);
    expect(story(google.calls())).to.deep.equal(both((name) => `revisions=${name}-1=100`));
  });

  it('goes back at once where a signal comes during a portion', async () => {
    const google = await running({ signal: { during: 'sleep', untilNextCall: true } });
    const { code, said } = await google.run(ASKED);
    expect([code, said.endsWith(HINT)]).to.deep.equal([130, true]);
    const calls = google.calls();
    expect(story(calls).slice(-2)).to.deep.equal(both((name) => `revisions=${name}-1=100`));
    expect(calls.filter((call) => call === 'sleep 60')).to.have.length(1);
  });

  it('waits for nothing where nothing is new, and lets go of what it has pinned', async () => {
    const google = await running();
    const { code, said } = await google.run(['infra/roll-out', 'europe-west1', 'true']);
    expect([code, said.trimEnd().split('\n').at(-1)]).to.deep.equal([0, 'Rolled out.']);
    const calls = google.calls();
    expect(story(calls)).to.deep.equal([
      ...both((name) => `revisions=${name}-1=100`),
      ...both(() => 'latest'),
    ]);
    expect(calls.filter((call) => call.startsWith('sleep'))).to.deep.equal([]);
  });

  it('leaves a service alone that has never served: it has no requests to keep', async () => {
    const google = await running({ traffic: { [first]: { latest: 100 } }, alertAfter: 1 });
    const { said } = await google.run(ASKED);
    expect(said).to.contain('An alert has opened');
    expect(Object.keys(google.world().traffic)).to.deep.equal([first]);
  });

  it('compares names byte by byte, whatever the language', async () => {
    const google = await running({ alertAfter: 1 });
    // In the place of a language that may not be installed here, in which the two lists come in different orders.
    const sort = 'case $LC_ALL:$1 in C:* | *serving) exec sort "$@" ;; *) exec sort -r "$@" ;; esac';
    google.write('sort-in-english', `#!/bin/bash\n${sort}\n`);
    const english = 'sort() { bash sort-in-english "$@"; }; export -f sort';
    google.write('in-english', `${english}\nexport LC_ALL=en_US.UTF-8\nexec ${ASKED.join(' ')}\n`);
    const { said } = await google.run(['in-english']);
    expect(said).to.contain('An alert has opened').and.to.not.contain('not sorted');
  });

  it('rolls back although nobody reads what it says any more', async () => {
    const google = await running({ alertAfter: 1 });
    const rolledOut = ASKED.map((one) => `'${one}'`).join(' ');
    const reader = "while read -r line; do case $line in *'get 10 %'*) break ;; esac; done";
    google.write('unread', `bash ${rolledOut} 2>&1 | ${reader}\n`);
    await google.run(['unread']);
    expect(story(google.calls()).slice(-2)).to.deep.equal(both((name) => `revisions=${name}-1=100`));
  });

  it('is refused where no service of the pipeline is: perhaps in another region', async () => {
    const google = await running({ revisions: {}, traffic: {} });
    const { code, said } = await google.run(ASKED);
    expect(said).to.contain('No service of the pipeline serves in europe-west1');
    expect([code, story(google.calls())]).to.deep.equal([1, []]);
  });

  it('says how it is used where it is given nothing to do', async () => {
    const google = await running();
    const { code, said } = await google.run(['infra/roll-out', 'europe-west1']);
    expect(said).to.match(/^Usage: infra\/roll-out REGION COMMAND/);
    expect([code, google.calls()]).to.deep.equal([2, []]);
    expect(await google.run(['infra/roll-out', 'my-project', 'true'])).to.deep.equal({
      code: 2,
      said: 'my-project is not a region: one is named like europe-west1.\n',
    });
    expect(google.calls()).to.deep.equal([]);
  });
});
