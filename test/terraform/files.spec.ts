import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { type Body, type Configuration, expression, readConfiguration, stringsIn } from './configuration.ts';
import { faultsOf, readProviderSchema, resourceFaults } from './provider-schema.ts';

const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');

/** Rules that hold for the files as they are written, on every machine. What they come to, the suites beside this one say. */
describe('The Terraform, as it is written', () => {
  const schema = readProviderSchema();
  let configuration: Configuration;
  let resources: (readonly [type: string, label: string, body: Body])[];
  before(async () => {
    configuration = await readConfiguration();
    resources = Object.entries(configuration.resource).flatMap(([type, labels]) =>
      Object.entries(labels).map(([label, body]) => [type, label, body] as const),
    );
  });
  const body = (type: string, label: string): Body => configuration.resource[type]?.[label] ?? {};

  it('names nothing that the provider does not know, and no block for an argument', () => {
    const google = resources.filter(([type]) => type.startsWith('google_'));
    const data = Object.entries(configuration.data).flatMap(([type, labels]) =>
      Object.entries(labels).map(([label, one]) => [type, label, one] as const),
    );
    const faults = [
      ...google.flatMap(([type, label, one]) =>
        resourceFaults(one, known(schema.resource[type], type), `${type}.${label}`),
      ),
      ...data.flatMap(([type, label, one]) =>
        resourceFaults(one, known(schema.data[type], type), `data.${type}.${label}`),
      ),
      ...faultsOf(configuration.provider.google ?? {}, schema.provider, 'provider'),
    ];
    expect(faults).to.deep.equal([]);
    expect(google).to.have.length.above(30);
  });

  it('is held to the release of the provider that it pins', () => {
    expect(configuration.terraform.flatMap((block) => block.required_providers ?? [])).to.deep.equal([
      { google: { source: 'hashicorp/google', version: schema.version } },
    ]);
  });

  it('leaves to gcloud which revision of a service gets requests, and its signature: a roll-out needs both', () => {
    const services = Object.entries(configuration.resource.google_cloud_run_v2_service ?? {});
    expect(services).to.have.length(2);
    for (const [label, service] of services) {
      expect(service, label).to.not.have.any.keys('traffic');
      expect(service.lifecycle, label).to.deep.equal([
        { ignore_changes: ['client', 'client_version'].map(expression) },
      ]);
    }
  });

  it('uses no preview of Google', () => {
    expect(resources.filter(([, , one]) => 'launch_stage' in one)).to.deep.equal([]);
  });

  it('would be told of a wrong name, a wrong shape and a wrong value', () => {
    const subscription = {
      name: 'error-sub',
      nmae: 'error-sub',
      retry_policy: { minimum_backoff: '1s' },
      expiration_policy: [{}, { ttl: '' }],
      labels: 'x',
      message_retention_duration: [{ days: 7 }],
      dynamic: { push_config: [{ for_each: [], content: [{ endpoint: 'x' }] }] },
    };
    expect(
      resourceFaults(subscription, known(schema.resource.google_pubsub_subscription, ''), 'it'),
    ).to.have.members([
      'it knows no nmae',
      'it needs topic',
      'it.message_retention_duration is an argument, not a block',
      'it.retry_policy is a block, not an argument',
      'it.expiration_policy may stand there once',
      'it.expiration_policy needs ttl',
      'it.push_config knows no endpoint',
      'it.push_config needs push_endpoint',
    ]);
    const database = { name: 'x', location_id: 'x', type: 'FIRESTORE_NATIV' };
    expect(
      resourceFaults(database, known(schema.resource.google_firestore_database, ''), 'it'),
    ).to.deep.equal(['it.type is FIRESTORE_NATIV, which is none of FIRESTORE_NATIVE, DATASTORE_MODE']);
  });

  it('refers to nothing that is not there, and declares nothing that nobody uses', () => {
    const { variable, locals, data } = configuration;
    // The message of a validation is for people; its condition alone does not make a variable used.
    const expressions = stringsIn([
      locals,
      configuration.resource,
      data,
      configuration.output,
      configuration.provider,
    ]);
    const all = expressions.filter((text) => text.includes('${')).join('\n');
    const references = (pattern: RegExp, within = all) =>
      [...new Set([...within.matchAll(pattern)].map(([, ...names]) => names.join('.')))].sort();
    expect(references(/\bvar\.(\w+)/g)).to.deep.equal(Object.keys(variable).sort());
    expect(references(/\blocal\.(\w+)/g, [all, ...stringsIn(variable)].join('\n'))).to.deep.equal(
      Object.keys(locals).sort(),
    );
    const unknown = [...all.matchAll(/(\bdata\.)?\b(google_\w+)\.(\w+)(?:\[[^\]]*\])?(?:\.(\w+))?/g)].flatMap(
      ([reference, isData, type = '', label = '', attribute]) => {
        const blocks = isData ? data : configuration.resource;
        const block = known((isData ? schema.data : schema.resource)[type], type);
        const isKnown = blocks[type]?.[label] !== undefined;
        const isReadable =
          attribute === undefined || attribute in block.attributes || block.computed?.includes(attribute);
        return isKnown && isReadable ? [] : [reference];
      },
    );
    expect(unknown).to.deep.equal([]);
  });

  it('explains and types every variable, checks those that are text or numbers, and needs project and region alone', () => {
    const { variable } = configuration;
    for (const [name, one] of Object.entries(variable)) {
      expect(one.description, name).to.be.a('string').and.not.be.empty;
      expect(one.type, name).to.match(
        /^\$\{(string|number|bool|set\(string\)|map\((map|set)\(string\)\)|object\(\{[^{}]+\}\))\}$/,
      );
      if (one.type !== expression('bool')) expect(one.validation, name).to.be.an('array');
    }
    const needed = Object.keys(variable).filter((name) => !('default' in (variable[name] ?? {})));
    expect(needed).to.deep.equal(['project', 'region']);
    const example = text('infra/terraform/terraform.tfvars.example');
    expect([...example.matchAll(/^(\w+) +=/gm)].map(([, name]) => name)).to.deep.equal(needed);
  });

  it('runs what was built last until it is told a tag, and every build has a tag of its own', () => {
    const build = text('infra/cloudbuild.yaml');
    const [, pushed = ''] = /^images: \['(.*)'\]$/m.exec(build) ?? [];
    const image = expression('_IMAGE');
    const own = `${image}:${expression('_TAG')}`;
    const ofDefault = `${image}:${expression('_LATEST')}`;
    expect(build).to.contain(`\n  _LATEST: ${configuration.variable.image_tag?.default}\n`);
    expect(pushed.split("', '")).to.deep.equal([own, ofDefault]);
    expect(build.match(/(?<=--tag=)[^']+/g)).to.deep.equal([own, ofDefault]);
  });

  it('is explained by commands that name its outputs, and give a build all that it wants', () => {
    const pages = readdirSync(new URL('docs/operations/', packageRoot)).map(
      (page) => `docs/operations/${page}`,
    );
    const guides = ['infra/terraform/README.md', ...pages].map(text).join('\n');
    const outputs = guides.match(/(?<=output -(?:raw|json) )\w+/g);
    expect(new Set(outputs)).to.deep.equal(new Set(Object.keys(configuration.output)));
    const variables = [...guides.matchAll(/-var=(\w+)=/g)].map(([, name = '']) => name);
    expect(Object.keys(configuration.variable)).to.include.members(variables);
    const build = text('infra/cloudbuild.yaml');
    const wanted = new Set(build.match(/(?<=\$\{)_\w+/g));
    for (const given of build.match(/(?<=^ {2})_\w+(?=: )/gm) ?? []) wanted.delete(given);
    const builds = [...guides.matchAll(/--substitutions=(.*)/g)].map(([, given = '']) => given);
    expect(builds).to.not.be.empty;
    for (const [command] of guides.matchAll(/^gcloud builds submit (?:.*\\\n)*/gm)) {
      expect(command).to.contain('--region=$(terraform -chdir=infra/terraform output -raw build_region)');
    }
    for (const given of builds) expect(new Set(given.match(/_[A-Z]+(?==)/g))).to.deep.equal(wanted);
  });

  it('repeats no topic, no subscription and no status, and names a service only for what the saga does not know', () => {
    const { topics, subscriptions } = topologyOf(pipeline);
    const names = serviceNames(pipeline);
    // A name may be all of a string, or stand in quotation marks in an expression.
    const literals = stringsIn([configuration.locals, configuration.resource]).flatMap((literal) => [
      literal,
      ...(literal.match(/(?<=")[\w-]+(?=")/g) ?? []),
    ]);
    // A service may have the name of a topic.
    const repeated = [...topics, ...Object.keys(subscriptions)].filter(
      (name) => literals.includes(name) && !names.includes(name),
    );
    expect(repeated).to.deep.equal([]);
    const words = new RegExp(`\\b(${pipeline.statuses.join('|')})\\b`);
    expect(
      stringsIn([configuration.locals, configuration.resource]).filter((one) => words.test(one)),
    ).to.deep.equal([]);
    expect(body('google_pubsub_topic', 'topic').for_each).to.equal(expression('local.topology.topics'));
    expect(body('google_pubsub_subscription', 'subscription').for_each).to.equal(
      expression('local.subscriptions'),
    );
    expect(pipeline.steps.map(({ name }) => name).filter((name) => literals.includes(name))).to.deep.equal(
      [],
    );
    expect(names).to.include.members(Object.keys(configuration.locals.by_hand as object));
  });

  it('gives every subscription a retry policy, no expiry, and the dead letters that the topology wants', () => {
    // That of events has the policy of services: bigquery.spec.ts looks at it.
    expect(Object.keys(configuration.resource.google_pubsub_subscription ?? {})).to.deep.equal([
      'bigquery',
      'subscription',
    ]);
    const { expiration_policy, retry_policy, dynamic } = body(
      'google_pubsub_subscription',
      'subscription',
    ) as {
      expiration_policy: unknown;
      retry_policy: Body[];
      dynamic: { dead_letter_policy: Body[] };
    };
    expect(expiration_policy).to.deep.equal([{ ttl: '' }]);
    expect(Object.keys(retry_policy[0] ?? {})).to.have.members(['minimum_backoff', 'maximum_backoff']);
    expect(dynamic.dead_letter_policy[0]?.for_each).to.equal(
      expression('each.value.deadLetter == null ? [] : [each.value.deadLetter]'),
    );
  });

  it("gives Pub/Sub's own agent both rights that dead letters need, and lets it write one table", () => {
    const granted = resources
      .filter(([, , one]) => one.member === expression('local.pubsub_agent'))
      .map(([type, label, one]) => [type, label, one.role]);
    expect(granted).to.have.deep.members([
      ['google_pubsub_topic_iam_member', 'dead_letter_publisher', 'roles/pubsub.publisher'],
      ['google_pubsub_subscription_iam_member', 'dead_letter_subscriber', 'roles/pubsub.subscriber'],
      ['google_pubsub_subscription_iam_member', 'bigquery_dead_letter_subscriber', 'roles/pubsub.subscriber'],
      ['google_bigquery_table_iam_member', 'pubsub', 'roles/bigquery.dataEditor'],
      ['google_service_account_iam_member', 'push_token_creator', 'roles/iam.serviceAccountTokenCreator'],
    ]);
  });

  it('enables the API of each of its resources, and those that the code calls', () => {
    const enabled = stringsIn(body('google_project_service', 'api').for_each).join();
    const apis = [...enabled.matchAll(/"(\w+)\.googleapis\.com"/g)].map(([, api = '']) => api);
    const apiOf: Record<string, string> = {
      artifact: 'artifactregistry',
      billing: 'billingbudgets',
      cloud: 'run',
      service: 'iam',
      secret: 'secretmanager',
    };
    const ofResources = resources.flatMap(([type]) => {
      const [, name = ''] = /^google_(?!project_|cloud_scheduler_)([a-z]+)/.exec(type) ?? [];
      return name === '' ? [] : [apiOf[name] ?? name];
    });
    const called = text('adapters/telemetry/opentelemetry.ts').matchAll(
      /https:\/\/(\w+)\.googleapis\.com\/v\d/g,
    );
    const needed = [
      ...ofResources,
      'cloudbuild',
      'cloudscheduler',
      ...[...called].map(([, api = '']) => api),
    ];
    expect(needed).to.include('telemetry');
    // What is sent to the Telemetry API is kept by Cloud Trace and Cloud Monitoring.
    expect(new Set(apis)).to.deep.equal(new Set([...needed, 'cloudtrace']));
  });

  it('grants everybody nothing, which organizations may refuse', () => {
    const everybody = resources.filter(([, , one]) =>
      stringsIn(one).some((text) => /allUsers|allAuthenticatedUsers/.test(text)),
    );
    expect(everybody.map(([type, label]) => `${type}.${label}`)).to.deep.equal([]);
  });

  it('grants small roles only, and on the project as few as possible', () => {
    const small =
      /^roles\/(pubsub\.(publisher|subscriber|viewer)|run\.invoker|datastore\.user|telemetry\.(tracesWriter|metricsWriter)|logging\.logWriter|artifactregistry\.writer|storage\.objectViewer|secretmanager\.secretAccessor|bigquery\.dataEditor|iam\.serviceAccountTokenCreator)$/;
    const roles = stringsIn([configuration.resource, configuration.locals]).flatMap(
      (text) => text.match(/roles\/[\w.]+/g) ?? [],
    );
    expect(roles.filter((role) => !small.test(role))).to.deep.equal([]);
    expect(Object.keys(configuration.resource.google_project_iam_member ?? {}).sort()).to.deep.equal([
      'builder',
      'database_user',
      'telemetry',
    ]);
    const wide = resources.filter(([type]) =>
      /_iam_policy$|^google_project_iam_binding$|_service_account_key$/.test(type),
    );
    expect(wide).to.deep.equal([]);
  });

  it('lays the ground first: every right that a program needs to start, and every metric of an alert', () => {
    const { depends_on } = body('terraform_data', 'groundwork') as { depends_on: string[] };
    const needed = resources
      .filter(
        ([type]) =>
          /_iam_(member|binding)$|^google_logging_metric$|^google_firestore_(index|field)$/.test(type) &&
          !type.startsWith('google_cloud_run'),
      )
      .map(([type, label]) => `\${${type}.${label}}`);
    expect(depends_on).to.have.members(needed);
    for (const type of [
      'google_cloud_run_v2_service',
      'google_cloud_run_v2_worker_pool',
      'google_cloud_run_v2_job',
      'google_monitoring_alert_policy',
    ]) {
      for (const [label, one] of Object.entries(configuration.resource[type] ?? {})) {
        expect(one.depends_on, `${type}.${label}`).to.deep.equal([expression('terraform_data.groundwork')]);
      }
    }
  });

  it('says of the database what correctness and safety rest upon', () => {
    expect(body('google_firestore_database', 'database')).to.include({
      type: 'FIRESTORE_NATIVE',
      concurrency_mode: 'OPTIMISTIC',
      point_in_time_recovery_enablement: 'POINT_IN_TIME_RECOVERY_ENABLED',
      deletion_policy: 'DELETE',
    });
  });

  it('keeps no secret: their values are never in a file, nor in the state', () => {
    expect(resources.filter(([type]) => /secret_version|random_/.test(type))).to.deep.equal([]);
  });
});

function known<S>(schema: S | undefined, type: string): S {
  if (schema === undefined)
    throw new Error(`provider-schema.json does not have ${type} yet: see write-provider-schema.ts`);
  return schema;
}
