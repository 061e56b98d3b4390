import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { longTest } from '../support/thorough.ts';
import { expression, readConfiguration, terraformFolder } from './configuration.ts';
import { REQUIRED } from './deployments.ts';
import { evaluate, GENERATED, requireTerraform, terraform } from './evaluate.ts';

describe('Terraform itself', () => {
  /** What `terraform init` leaves, and what only a machine with a way to the registry can get. */
  const hasProvider = existsSync(new URL('.terraform', terraformFolder));
  before(async function () {
    await requireTerraform(this);
  });
  if (!hasProvider) {
    process.stdout.write(
      '*** Not validated by the provider: terraform -chdir=infra/terraform init -backend=false gets it\n',
    );
  }
  it('is formatted as Terraform formats it', async () => {
    expect(await terraform(fileURLToPath(terraformFolder), 'fmt', '-check', '-diff')).to.equal('');
  });

  if (hasProvider)
    it('is valid for the provider itself', async function () {
      this.timeout(120_000);
      const copy = mkdtempSync(join(tmpdir(), 'order-saga-terraform-'));
      cpSync(fileURLToPath(terraformFolder), join(copy, 'infra', 'terraform'), { recursive: true });
      for (const file of GENERATED) {
        cpSync(fileURLToPath(new URL(`infra/${file}`, packageRoot)), join(copy, 'infra', file));
      }
      expect(await terraform(join(copy, 'infra', 'terraform'), 'validate', '-no-color')).to.contain(
        'Success!',
      );
      rmSync(copy, { recursive: true });
    });

  longTest('can destroy the rest where the images are gone already', async function () {
    this.timeout(120_000);
    const folder = mkdtempSync(join(tmpdir(), 'order-saga-terraform-'));
    const { data } = await readConfiguration();
    const { depends_on: awaited = [] } = data.google_artifact_registry_docker_image?.pipeline ?? {};
    const repository = 'google_artifact_registry_repository.images';
    // A state that is not there can be read as little as an image that is not there.
    const image = { backend: 'local', config: { path: 'image.json' } };
    const files = {
      'main.tf.json': {
        resource: {
          terraform_data: {
            images: { input: 'order-saga' },
            service: { input: `\${data.terraform_remote_state.image.outputs.self_link}` },
          },
        },
        data: {
          terraform_remote_state: {
            image: {
              ...image,
              depends_on: (awaited as string[]).includes(expression(repository))
                ? ['terraform_data.images']
                : [],
            },
          },
        },
      },
      'image.json': {
        version: 4,
        serial: 1,
        lineage: 'image',
        outputs: { self_link: { value: 'image@sha256:0123', type: 'string' } },
        resources: [],
      },
    };
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), JSON.stringify(content));
    }
    await terraform(folder, 'init', '-no-color', '-input=false');
    await terraform(folder, 'apply', '-no-color', '-input=false', '-auto-approve');
    await terraform(folder, 'state', 'rm', 'terraform_data.images');
    rmSync(join(folder, 'image.json'));
    expect(await terraform(folder, 'destroy', '-no-color', '-input=false', '-auto-approve')).to.contain(
      'Resources: 1 destroyed',
    );
    rmSync(folder, { recursive: true });
  });

  longTest('has every output that a build needs once the ground is laid', async function () {
    this.timeout(60_000);
    const ways = {
      'infra/deploy': /-target=terraform_data\.groundwork\n(.*?)start_services/s,
      'infra/terraform/README.md': /-target=terraform_data\.groundwork\n(.*?)apply -var=image_tag/s,
    };
    const ground = await evaluate(await readConfiguration(), REQUIRED, {}, [
      '-target=terraform_data.groundwork',
    ]);
    for (const [path, between] of Object.entries(ways)) {
      const [, part = ''] = between.exec(readFileSync(new URL(path, packageRoot), 'utf8')) ?? [];
      const read = [...part.matchAll(/ output -raw (\w+)/g)].map(([, name]) => `output.${name}`);
      expect(read, path).to.not.be.empty;
      expect(ground, path).to.include.keys(read);
    }
  });

  it('refuses values that can not be meant, each with a sentence', async function () {
    this.timeout(60_000);
    const wrong = {
      project: 'demo-saga',
      region: 'eur3',
      build_region: 'global',
      subscriber: 'poll',
      functions: ['frontend'],
      customers: { issuer: 'http://accounts.example', audience: 'shop' },
      telemetry: 'otlp',
      operators: ['jill'],
      callers: { desk: ['jill'] },
      image_tag: 'a/b',
      instances_max: 0,
      workers: 1.5,
      deadline_seconds: 0,
      log_level: 'error',
      settings: { janitor: { SWEEP_INTERVAL_SECONDS: '60' } },
      firestore_database: 'x',
      alert_email: 'jill',
      monthly_budget: 0,
    };
    // Its rules refer to other variables, and Terraform judges by no value that is wrong itself.
    const wrongBeside = { ...REQUIRED, domain: 'https://shop.example' };
    const configuration = await readConfiguration();
    const { variable } = configuration;
    const nulls = [
      {
        customers: { issuer: 'https://accounts.example', audience: null },
        settings: { inventory: { APPROVAL_ABOVE: null } },
      },
      { settings: { payments: null }, callers: { order: null } },
    ].map((given) => ({ ...REQUIRED, ...given }));
    const complaints = [wrong, wrongBeside, ...nulls].map((given) =>
      evaluate(configuration, given).then(
        () => 'nothing',
        (error: Error) => error.message.replaceAll(/\s*[│╷╵]?\s+/g, ' '),
      ),
    );
    const complaint = (await Promise.all(complaints)).join(' ');
    for (const refused of await Promise.all(complaints.slice(2)))
      expect(refused.match(/Error: [\w ]+ on/g)).to.deep.equal(
        Array(2).fill('Error: Invalid value for variable on'),
      );
    expect(await complaints[2]).to.contain('an issuer with an https URL, an audience');
    const sentences = Object.entries(variable).flatMap(([name, { validation = [] }]) =>
      (validation as { error_message: string }[]).map(
        // What follows from the saga stands at the end.
        ({ error_message: sentence }) => [name, sentence.split('${')[0] ?? ''] as const,
      ),
    );
    // The id of an emulator's project is an id.
    const expected = sentences.filter(([name, sentence]) => name !== 'project' || sentence.includes('demo-'));
    expect(expected.filter(([, sentence]) => !complaint.includes(sentence))).to.deep.equal([]);
    expect(new Set(expected.map(([name]) => name))).to.deep.equal(
      new Set(Object.keys({ ...wrong, ...wrongBeside })),
    );
    const settings = [...pipeline.services, ...pipeline.steps].flatMap(({ name, settings: own = {} }) =>
      Object.keys(own).map((variable) => `${name}.${variable}`),
    );
    for (const setting of settings) {
      // A secret is no setting: Terraform would keep its value in the state.
      if (setting.endsWith('_SECRET')) expect(complaint).not.to.contain(setting);
      else expect(complaint).to.contain(setting);
    }
  });
});
