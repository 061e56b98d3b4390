import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';
import { DEADLINE_EXCEEDED } from '../../saga/ledger/ledger.ts';
import { longTest } from '../support/thorough.ts';
import { readConfiguration, stringsIn } from '../terraform/configuration.ts';
import { googleOfSuite } from './google.ts';
import { APPLIED, type Fault, type World } from './stand-ins.ts';

const PROJECT = 'my-project';
const REGION = 'europe-west1';
const ASKED = ['infra/deploy', PROJECT, REGION];
const TERRAFORM = 'terraform -chdir=infra/terraform';
const VARIABLES = 'infra/terraform/terraform.tfvars';

/**
 * What Google says while something new has not yet reached all of it: as it was reported, with names of ours. The links are in
 * infra/terraform/README.md.
 */
const PASSING: readonly Omit<Fault, 'times'>[] = [
  {
    call: 'terraform -chdir=infra/terraform apply -input=false -auto-approve -target=terraform_data.groundwork',
    says: `╷
│ Error: Error when reading or editing Project Service : Request \`List Project Services my-project\` returned error: Failed to list enabled services for project my-project: googleapi: Error 403: Service Usage API has not been used in project 321157631455 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/serviceusage.googleapis.com/overview?project=321157631455 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry., accessNotConfigured
│ Details:
│ [
│   {
│     "@type": "type.googleapis.com/google.rpc.ErrorInfo",
│     "reason": "SERVICE_DISABLED"
│   }
│ ]
│ 
│   with google_project_service.api["iam.googleapis.com"],
│   on project.tf line 6, in resource "google_project_service" "api":
╵`,
  },
  {
    call: 'terraform -chdir=infra/terraform apply -input=false -auto-approve -var=image_tag',
    says: 'Error: Error creating AlertPolicy: googleapi: Error 404: Cannot find metric(s) that match type = "logging.googleapis.com/user/saga_dead_letters". If a metric was created recently, it could take up to 10 minutes to become available. Please try again soon.',
  },
  {
    call: 'terraform -chdir=infra/terraform apply -input=false -auto-approve -var=image_tag',
    says: 'Error: Error creating AlertPolicy: googleapi: Error 404: The metric referenced by the provided filter is unknown. Check the metric name and labels.',
  },
  {
    call: 'terraform -chdir=infra/terraform apply -input=false -auto-approve -target=terraform_data.groundwork',
    says: '\u001b[31mError:\u001b[0m Error applying IAM policy for pubsub topic "projects/my-project/topics/dead-letter": Error setting IAM policy for pubsub topic "projects/my-project/topics/dead-letter": googleapi: Error 400: Service account service-802491271465@gcp-sa-pubsub.iam.gserviceaccount.com does not exist.',
  },
  {
    call: 'gcloud builds submit',
    says: "ERROR: (gcloud.builds.submit) INVALID_ARGUMENT: could not resolve source: googleapi: Error 403: saga-builder@my-project.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist)., forbidden",
  },
  {
    call: 'terraform -chdir=infra/terraform apply -input=false -auto-approve -var=image_tag',
    says: "Error: Error creating Service: googleapi: Error 403: Permission 'iam.serviceaccounts.actAs' denied on service account saga-order@my-project.iam.gserviceaccount.com (or it may not exist)., forbidden",
  },
  {
    call: 'terraform -chdir=infra/terraform apply -input=false -auto-approve -var=image_tag',
    says: 'Error: Error waiting to create Job: Error waiting for Creating Job: Error code 13, message: Google Cloud Run Service Agent service-1@serverless-robot-prod.iam.gserviceaccount.com must have permission to read the image, europe-west1-docker.pkg.dev/my-project/order-saga/order-saga:v0.3.0. Ensure that the provided container image URL is correct and that the above account has permission to access the image. If you just enabled the Cloud Run API, the permissions might take a few minutes to propagate.',
  },
  {
    call: 'terraform -chdir=infra/terraform apply -input=false -auto-approve -var=image_tag',
    says: "Error: Error waiting to create Service: Error waiting for Creating Service: Error code 13, message: Revision 'order-00001-pmg' is not ready and cannot serve traffic. The user-provided container failed the configured startup probe checks. Logs for this revision might contain more information.",
    taints: 'order',
  },
];

/** Two that don't. */
const LASTING = {
  billing:
    "ERROR: (gcloud.services.enable) FAILED_PRECONDITION: Billing account for project '321157631455' is not found. Billing must be enabled for activation of service(s) 'run.googleapis.com' to proceed.",
  database:
    'Error: Error creating Database: googleapi: Error 409: Database already exists. Please use another database_id',
};

describe('The deployment to Google Cloud, with stand-ins for gcloud and Terraform', function () {
  this.timeout(60_000);
  const { fresh } = googleOfSuite();
  const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');
  const { success, words } = JSON.parse(text('infra/topology.json')) as {
    success: string;
    words: Record<string, { topic: string; word: string }>;
  };
  const readme = text('infra/terraform/README.md');
  /** What changes something, and neither asks nor is a matter of who runs it. */
  const deeds = (calls: readonly string[]) =>
    calls
      .filter(
        (call) =>
          !/ (auth|config|output|show|describe|list|print-\S+) |^(git|sleep) |^gcloud (auth|config) /.test(
            call,
          ),
      )
      .map((call) =>
        call.replaceAll(/ -input=false| -auto-approve| -H Idempotency-Key:.*?(?= -d)| --config -/g, ''),
      )
      .map((call) =>
        call.replace(/^curl .*?-X POST/, 'curl -X POST').replace(/ -H Authorization: \S+ \S+/, ''),
      )
      .filter((call) => !call.startsWith('curl') || call.includes('POST'));

  it('enables, lays the ground, builds, starts, loads, and shows an order at its end', async () => {
    const google = await fresh();
    const { code, said } = await google.run([...ASKED, '--yes']);
    expect(said).to.contain(`"status": "${success}"`);
    expect(code).to.equal(0);
    const apis = [...text('infra/terraform/project.tf').matchAll(/^ *"(\S+)",$/gm)].map(([, api]) => api);
    const image = 'europe-west1-docker.pkg.dev/my-project/order-saga/order-saga';
    const [[, said1] = ['', { topic: '', word: '' }]] = Object.entries(words);
    expect(deeds(google.calls())).to.deep.equal([
      `gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com cloudbilling.googleapis.com ${apis.join(' ')}`,
      'gcloud beta services identity create --service=pubsub.googleapis.com',
      'terraform -chdir=infra/terraform init',
      'terraform -chdir=infra/terraform apply -target=terraform_data.groundwork',
      `gcloud builds submit --config=infra/cloudbuild.yaml --region=us-central1 --gcs-source-staging-dir=gs://${PROJECT}-order-saga-source/source --substitutions=_IMAGE=${image},_TAG=v0.3.0`,
      'terraform -chdir=infra/terraform apply -var=image_tag=v0.3.0',
      `gcloud run jobs execute data-init --region=${REGION} --wait`,
      'curl -X POST https://frontend-123456789012.europe-west1.run.app/order -H Content-Type: application/json -d {"item":"widget","quantity":2,"user":"jack"}',
      `gcloud pubsub topics publish ${said1.topic} --message={"uuid":"f791f796-b1cb-40f2-a450-eeb892f15cc2","outcome":"${said1.word}"}`,
    ]);
    expect(google.text(VARIABLES)).to.equal(`project = "${PROJECT}"\nregion  = "${REGION}"\n`);
  });

  it('places no order where customers are told apart: it has no token of theirs', async () => {
    const google = await fresh();
    const customers = 'customers = { issuer = "https://accounts.example", audience = "shop" }';
    google.write(VARIABLES, `project = "${PROJECT}"\nregion = "${REGION}"\n${customers}\n`);
    const { code, said } = await google.run([...ASKED, '--yes']);
    expect(said).to.contain("Customers are told apart, so an order needs a customer's token");
    expect([code, google.calls().filter((call) => call.startsWith('curl'))]).to.deep.equal([0, []]);
  });

  it('places no order where none is asked for', async () => {
    const google = await fresh();
    const { code, said } = await google.run([...ASKED, '--yes', '--no-order']);
    expect(said).to.contain('None was asked for.');
    expect([code, google.calls().filter((call) => call.startsWith('curl'))]).to.deep.equal([0, []]);
  });

  it('ends when the order ends: a refusal is an end like any other, an order that stood still is not', async () => {
    for (const [canceledFor, end, words] of [
      ['PAYMENT_REFUSED', 0, 'The order was refused (PAYMENT_REFUSED) and canceled'],
      [DEADLINE_EXCEEDED, 1, 'The order was canceled because it stood still.'],
    ] as const) {
      const google = await fresh({ canceledFor });
      const { code, said } = await google.run([...ASKED, '--yes']);
      expect(said).to.contain(words);
      expect([code, google.calls().filter((call) => call === 'sleep 3')]).to.deep.equal([end, []]);
    }
  });

  it('says which services show nothing new because their requests are pinned', async () => {
    const names = ['frontend', 'order-customers', 'blog'];
    const google = await fresh({
      revisions: Object.fromEntries(names.map((name) => [name, [`${name}-1`]])),
      traffic: {
        frontend: { latest: 100 },
        'order-customers': { 'order-customers-1': 100 },
        blog: { 'blog-1': 100 },
      },
    });
    const { code, said } = await google.run([...ASKED, '--yes', '--no-order']);
    expect(said).to.match(/shows nothing there:\norder-customers\ndocs\/operations\/upgrade\.md#roll-back/);
    expect(code).to.equal(0);
  });

  it('takes the provider by the hashes that are committed, or not at all', async () => {
    const google = await fresh({ isLocked: true });
    await google.run([...ASKED, '--yes', '--no-order']);
    expect((await google.run(['infra/use-shared-state', 'a-bucket'])).code).to.equal(0);
    expect(google.calls().filter((call) => call.includes(' init '))).to.deep.equal([
      'terraform -chdir=infra/terraform init -input=false -lockfile=readonly',
      'terraform -chdir=infra/terraform init -lockfile=readonly -backend-config=bucket=a-bucket -backend-config=prefix=order-saga',
    ]);
  });

  longTest('calls what the README says by hand, and nothing else', async () => {
    const program = await fresh();
    expect((await program.run([...ASKED, '--yes'])).code).to.equal(0);
    const [, byHand = ''] = /^### By hand\n(.*?)^### /ms.exec(readme) ?? [];
    const blocks = [...byHand.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
    expect(blocks).to.have.length.above(4);
    const person = await fresh();
    person.write('by-hand', blocks.join('\n'));
    const { code, said } = await person.run(['-euo', 'pipefail', 'by-hand']);
    expect([code, said]).to.deep.equal([0, said]);
    expect(deeds(person.calls())).to.deep.equal(deeds(program.calls()));

    const [, toDestroy = ''] = /^## Destroy it\n(.*?)^## /ms.exec(readme) ?? [];
    const [, steps = ''] = [...toDestroy.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
    person.write('by-hand', steps ?? '');
    expect((await person.run(['-euo', 'pipefail', 'by-hand'])).code).to.equal(0);
    expect((await program.run([...ASKED, '--destroy', '--yes'])).code).to.equal(0);
    // The program needs no image to take the protection away.
    const destroyed = deeds(program.calls()).filter((call) => !call.endsWith(' init'));
    expect(destroyed.map((call) => call.replaceAll(/ -target=\S+/g, ''))).to.deep.equal(
      deeds(person.calls()),
    );
  });

  it('does nothing unless somebody says yes', async () => {
    for (const [args, answer] of [
      [ASKED, ''],
      [ASKED, 'no\n'],
      [[...ASKED, '--destroy'], 'yes\n'],
    ] as const) {
      const google = await fresh({ made: 'all' });
      if (args.length > 3) google.write(VARIABLES, `project = "${PROJECT}"\nregion = "${REGION}"\n`);
      const { code, said } = await google.run(args, answer);
      expect(said).to.contain('Nothing was done.');
      expect([code, deeds(google.calls())]).to.deep.equal([1, []]);
    }
  });

  it('repeats what passes by itself after growing pauses, and nothing before it', async () => {
    const [fault] = PASSING;
    const google = await fresh({ faults: [{ ...(fault as Fault), times: 2 }] });
    const { code, said } = await google.run([...ASKED, '--yes']);
    expect([code, said.match(/This passes by itself/g)?.length]).to.deep.equal([0, 2]);
    const calls = google.calls();
    expect(calls.filter((call) => call.startsWith('sleep')).slice(0, 2)).to.deep.equal([
      'sleep 15',
      'sleep 30',
    ]);
    expect(calls.filter((call) => call.startsWith('gcloud services enable'))).to.have.length(1);
    expect(calls.filter((call) => call.includes('groundwork'))).to.have.length(3);
  });

  longTest('knows every error that passes by itself, wherever it comes', async () => {
    const ends = await Promise.all(
      PASSING.map(
        async (fault) =>
          (await (await fresh({ faults: [{ ...fault, times: 1 }] })).run([...ASKED, '--yes'])).code,
      ),
    );
    expect(ends).to.deep.equal(PASSING.map(() => 0));
  });

  it('repeats after the errors that the README names, and no others', () => {
    const [, table = ''] = /^### Errors that pass by themselves\n(.*?)^## /ms.exec(readme) ?? [];
    const rows = [...table.matchAll(/^\| (`.*?) \| .* \| .* \|$/gm)].map(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(
        ([, words = '']) =>
          new RegExp(
            words
              .split('…')
              .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
              .join('.*'),
            's',
          ),
      ),
    );
    expect(rows).to.have.length.above(5);
    for (const words of rows.flat()) {
      expect(
        PASSING.filter(({ says }) => words.test(says)),
        String(words),
      ).to.not.be.empty;
    }
    for (const { says } of PASSING) {
      expect(
        rows.filter((row) => row.some((words) => words.test(says))),
        says,
      ).to.have.length(1);
    }
  });

  it('gives up in the end: twelve minutes after the first attempt', async () => {
    const [, metric] = PASSING;
    const google = await fresh({ faults: [{ ...(metric as Fault), times: 99 }] });
    const { code, said } = await google.run([...ASKED, '--yes']);
    expect(code).to.equal(1);
    expect(said).to.match(/Cannot find metric.*\n+This should have passed by now\..*\n$/);
    const pauses = google
      .calls()
      .flatMap((call) => (call.startsWith('sleep') ? [Number(call.slice(6))] : []));
    expect([pauses, pauses.reduce((sum, pause) => sum + pause)]).to.deep.equal([
      [15, 30, 60, 120, 240, 240],
      705,
    ]);
  });

  it('ends at once with what Google says where that does not pass, also among errors that do', async () => {
    const [, metric] = PASSING;
    const apply = 'terraform -chdir=infra/terraform apply';
    const faults = [
      // Somebody's own account, which will never come into being by itself.
      {
        call: apply,
        says: 'Error: Error setting IAM policy: Service account curier@x.example does not exist.',
      },
      { call: 'gcloud services enable', says: LASTING.billing },
      { call: apply, says: LASTING.database },
      { call: apply, says: `${metric?.says}\n\n${LASTING.database}` },
      { call: apply, says: 'Killed' },
    ];
    for (const fault of faults) {
      const google = await fresh({ faults: [{ ...fault, times: 1 }] });
      const { code, said } = await google.run([...ASKED, '--yes']);
      expect(said).to.contain(fault.says).and.to.contain('This does not pass by itself');
      expect(code).to.equal(1);
      const calls = google.calls();
      expect(calls.at(-1)?.startsWith(fault.call)).to.equal(true);
      expect(calls.filter((call) => call.startsWith('sleep'))).to.deep.equal([]);
    }
  });

  it('makes a service anew whose first start failed: the provider would not replace what is protected', async () => {
    const start = PASSING.find(({ taints }) => taints !== undefined) as Fault;
    const google = await fresh({ faults: [{ ...start, times: 1 }] });
    expect((await google.run([...ASKED, '--yes'])).code).to.equal(0);
    expect(google.calls()).to.include(`gcloud run services delete order --region=${REGION}`);
    expect(google.world().tainted).to.deep.equal([]);
  });

  it('deletes nothing that is gone, though the state still has it as half made', async () => {
    const google = await fresh({ tainted: ['order', 'inventory'], gone: ['order'] });
    expect((await google.run([...ASKED, '--yes'])).code).to.equal(0);
    expect(google.calls().filter((call) => call.includes(' delete '))).to.deep.equal([
      `gcloud run services delete inventory --region=${REGION}`,
    ]);
  });

  longTest('goes on after an interruption, wherever it was', async function () {
    this.timeout(300_000);
    const whole = await fresh();
    await whole.run([...ASKED, '--yes']);
    const calls = [...new Set(whole.calls())].filter(
      (call) => /^(gcloud|terraform|curl)/.test(call) && !/ (auth|output|show|describe|list) /.test(call),
    );
    expect(calls).to.have.length.above(8);
    const ends = await Promise.all(
      calls.map(async (call) => {
        const begin = call.split(' Idempotency-Key')[0] ?? call;
        const google = await fresh({ faults: [{ call: begin, says: 'Interrupted', times: 1 }] });
        const first = await google.run([...ASKED, '--yes']);
        google.change({ looks: 0, isHeard: false });
        const { code, said } = await google.run([...ASKED, '--yes']);
        return [call, first.code, code, said.includes(`"status": "${success}"`)];
      }),
    );
    expect(ends).to.deep.equal(calls.map((call) => [call, 1, 0, true]));
  });

  it('that is told to end lets the command under way end first, says so, and goes on when it runs again', async () => {
    const google = await fresh({ signal: { during: `${TERRAFORM} apply`, toGroup: true } });
    const { code, said } = await google.run([...ASKED, '--yes']);
    expect(code).to.equal(143);
    expect(said).to.match(new RegExp(`${APPLIED}\\nStopped, as requested\\. [^\\n]+\\n$`));
    expect(google.calls().at(-1)).to.match(/^terraform \S+ apply /);
    expect((await google.run([...ASKED, '--yes'])).code).to.equal(0);
  });

  it('is harmless when it runs again: it keeps the variables and builds nothing twice', async () => {
    const google = await fresh();
    const own = `# mine\nproject = "${PROJECT}"\nregion = "${REGION}"\npublic = true\n`;
    google.write(VARIABLES, own);
    await google.run([...ASKED, '--yes']);
    google.calls();
    const { code, said } = await google.run([...ASKED, '--yes']);
    expect([code, google.text(VARIABLES)]).to.deep.equal([0, own]);
    expect(said).to.contain('order-saga:v0.3.0 is there already.');
    expect(google.calls().filter((call) => call.startsWith('gcloud builds'))).to.deep.equal([]);
  });

  it('keeps out of what the variables say is another project', async () => {
    const google = await fresh();
    google.write(VARIABLES, `project = "another-one"\nregion  = "${REGION}"\n`);
    for (const more of [[], ['--destroy']]) {
      const { code, said } = await google.run([...ASKED, ...more, '--yes']);
      expect(said).to.contain(`${VARIABLES} says project = "another-one", not "${PROJECT}"`);
      expect([code, deeds(google.calls())]).to.deep.equal([1, []]);
    }
  });

  it('wants a project and a region as Terraform does, and says what is wrong with others', async () => {
    const google = await fresh();
    for (const [args, complaint] of [
      [[], 'Name a project and a region.'],
      [[PROJECT], 'Name a project and a region.'],
      [[REGION, PROJECT], `${PROJECT} is not a region: one is named like europe-west1.`],
      [['My_Project', REGION], 'My_Project is not a project id'],
      [[PROJECT, 'eur3'], 'eur3 is not a region'],
      [[PROJECT, REGION, 'now'], 'One argument too many: now.'],
      [[PROJECT, REGION, '--force'], 'There is no option --force.'],
      [['', PROJECT, REGION], 'An argument is empty.'],
      [
        [PROJECT, REGION, '--destroy', '--no-order'],
        '--destroy places no order anyway: leave --no-order out.',
      ],
      [['demo-saga', REGION], 'A project whose name starts with demo- exists on emulators only.'],
    ] as const) {
      const { code, said } = await google.run(['infra/deploy', ...args]);
      expect(said).to.contain(complaint).and.to.contain('Usage: infra/deploy');
      expect(code).to.equal(2);
    }
    expect(google.calls()).to.deep.equal([]);
    const conditions = stringsIn((await readConfiguration()).variable);
    const patterns = text('infra/deploy').match(/(?<==~ )\^\S+\$/g) ?? [];
    expect(patterns).to.have.length(3);
    for (const pattern of patterns)
      expect(
        conditions.some((condition) => condition.includes(`regex("${pattern}"`)),
        pattern,
      ).to.equal(true);
  });

  it('wants gcloud to be signed in, and says how', async () => {
    const gcloud = await (await fresh({ isSignedIn: false })).run([...ASKED, '--yes']);
    expect(gcloud).to.deep.equal({ code: 1, said: '\nYou are not signed in. Run: gcloud auth login\n' });
    const faults = [{ call: 'gcloud auth application-default', says: 'ERROR: no credentials', times: 1 }];
    const ofTerraform = await (await fresh({ faults })).run([...ASKED, '--yes']);
    expect(ofTerraform).to.deep.equal({
      code: 1,
      said: '\nTerraform is not signed in. Run: gcloud auth application-default login\n',
    });
  });

  it('shows the token to nobody: neither what it prints nor the arguments of a program have it', async () => {
    const google = await fresh();
    const { said } = await google.run([...ASKED, '--yes']);
    expect(said + google.calls().join('\n')).to.not.contain('a-token-that-no-one-else-may-see');
  });

  it('destroys in two steps, and brings nothing back when it is interrupted between them', async () => {
    const google = await fresh();
    await google.run([...ASKED, '--yes']);
    google.calls();
    google.change({
      faults: [{ call: 'terraform -chdir=infra/terraform destroy', says: 'Interrupted', times: 1 }],
    });
    expect((await google.run([...ASKED, '--destroy'], `${PROJECT}\n`)).code).to.equal(1);
    expect(deeds(google.calls())).to.deep.equal([
      'terraform -chdir=infra/terraform init',
      'terraform -chdir=infra/terraform apply -var=deletion_protection=false -target=google_firestore_database.database -target=google_cloud_run_v2_service.service["order"]',
      'terraform -chdir=infra/terraform destroy -var=deletion_protection=false',
    ]);
    expect((await google.run([...ASKED, '--destroy'], `${PROJECT}\n`)).code).to.equal(0);
    expect(deeds(google.calls())).to.deep.equal([
      'terraform -chdir=infra/terraform init',
      'terraform -chdir=infra/terraform destroy -var=deletion_protection=false',
    ]);
    expect(google.world().made).to.equal('nothing');
  });

  it('destroys nothing where it knows of nothing, or can not know', async () => {
    const google = await fresh();
    google.write(VARIABLES, `project = "${PROJECT}"\nregion = "${REGION}"\n`);
    const empty = await google.run([...ASKED, '--destroy', '--yes']);
    expect(empty.said).to.contain('This clone knows of nothing that stands.');
    google.change({ made: 'all', faults: [{ call: `${TERRAFORM} show`, says: 'token expired', times: 1 }] });
    const unknown = await google.run([...ASKED, '--destroy', '--yes']);
    expect(unknown.said).to.contain("Terraform can't read its state");
    expect([empty.code, unknown.code]).to.deep.equal([1, 1]);
    expect(google.calls().filter((call) => / (apply|destroy) /.test(call))).to.deep.equal([]);
  });

  it('says what it got where the answer is no order', async () => {
    const google = await fresh({ faults: [{ call: 'curl', says: '<html>Sign in</html>', times: 1 }] });
    const { code, said } = await google.run([...ASKED, '--yes']);
    expect(said).to.contain('The order was not accepted: <html>Sign in</html>');
    expect(code).to.equal(1);
  });

  it('names an image after the commit only where the files are those of the commit', async () => {
    const tagOf = async (part: Partial<World>) => {
      const google = await fresh(part);
      const { said } = await google.run(ASKED);
      return /builds the image ([^,]*),/.exec(said)?.[1] ?? said;
    };
    expect(await tagOf({})).to.equal('v0.3.0');
    expect(await tagOf({ unsaved: '?? saga/new.ts' })).to.equal('v0.3.0-dirty');
    expect(await tagOf({ isBelow: 'vendor/order-saga/' })).to.match(/^\d{8}-\d{6}$/);
    expect(await tagOf({ tag: 'release/1.0' })).to.contain(
      "The Git tag release/1.0 can't be the tag of an image",
    );
  });

  it('refuses files of variables that would overrule its own', async () => {
    for (const name of ['prod.auto.tfvars', 'terraform.tfvars.json']) {
      const google = await fresh();
      google.write(`infra/terraform/${name}`, '');
      const { code, said } = await google.run([...ASKED, '--yes']);
      expect(said).to.contain(`${name} would overrule ${VARIABLES}`);
      expect([code, deeds(google.calls())]).to.deep.equal([1, []]);
    }
  });

  longTest('is clean for ShellCheck', async function () {
    const shellcheck = promisify(execFile)(
      'shellcheck',
      ['infra/deploy', 'infra/roll-out', 'infra/use-shared-state'],
      {
        cwd: new URL('.', packageRoot),
      },
    );
    const outcome = await shellcheck.catch((error: { code: unknown; stdout: string }) => error);
    if ('code' in outcome && outcome.code === 'ENOENT') {
      const reason = 'The scripts of infra/ are not linted: there is no ShellCheck on this machine';
      if (process.env.REQUIRE_SHELLCHECK === '1') throw new Error(reason);
      process.stdout.write(`*** ${reason}\n`);
      this.skip();
    }
    expect(outcome.stdout).to.equal('');
  });
});
