import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot, readConfig } from '../../programs/config.ts';
import { BATCH_MAX } from '../../saga/commit/group-commit.ts';
import { type Service, serviceOf } from '../../saga/deliver/service.ts';
import { SETTINGS } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { longTest } from '../support/thorough.ts';
import { type Body, readConfiguration } from './configuration.ts';
import { all, type Deployments, deployments, emailOf, only, REQUIRED, urlOf } from './deployments.ts';
import { evaluate, type Resources } from './evaluate.ts';

const withoutEnvironment = ({ env: _, ...own }: Body): Body => own;

describe('The services that Terraform makes', () => {
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  /** What one service's container is given. */
  const container = (service: Body | undefined): Body =>
    (service as { template: [{ containers: [Body] }] }).template[0].containers[0];
  const environment = (body: Body): Record<string, unknown> =>
    Object.fromEntries(
      ((body.env ?? []) as { name: string; value?: string; value_source?: unknown }[]).map(
        ({ name, value, value_source: source }) => [name, value ?? source],
      ),
    );

  it('runs the services of the pipeline, each as its own program and its own identity', () => {
    const made = all(deployed.byDefault, 'google_cloud_run_v2_service.service');
    expect(Object.keys(made)).to.have.members(deployed.serviceNames);
    for (const [name, service] of Object.entries(made)) {
      const [template] = service.template as Body[];
      expect(container(service).args).to.deep.equal(['dist/programs/service.js', name]);
      expect(template?.service_account).to.equal(emailOf(name));
    }
    const accounts = Object.values(all(deployed.byDefault, 'google_service_account.identity')).map(
      ({ account_id: id }) => String(id),
    );
    expect(new Set(accounts).size).to.equal(accounts.length);
    expect(accounts.filter((id) => !/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(id))).to.deep.equal([]);
  });

  it('gives each service a minute for a request, and the janitor as long as Cloud Scheduler waits for it', () => {
    const made = all(deployed.byDefault, 'google_cloud_run_v2_service.service');
    const timeouts = Object.entries(made).map(([name, { template }]) => [
      name,
      (template as Body[])[0]?.timeout,
    ]);
    expect(Object.fromEntries(timeouts)).to.deep.equal({
      ...Object.fromEntries(deployed.serviceNames.map((name) => [name, '60s'])),
      janitor: only(deployed.byDefault, 'google_cloud_scheduler_job.sweep').attempt_deadline,
    });
  });

  it('answers the internet at the frontend alone, unless operators are named, or callers of a service', () => {
    const ingress = (resources: Resources) =>
      Object.fromEntries(
        Object.entries(all(resources, 'google_cloud_run_v2_service.service')).map(([name, one]) => [
          name,
          one.ingress,
        ]),
      );
    const outside = (frontend: string, ...open: readonly (string | undefined)[]) => ({
      ...Object.fromEntries(
        deployed.serviceNames.map((name) => [
          name,
          open.includes(name) ? 'INGRESS_TRAFFIC_ALL' : 'INGRESS_TRAFFIC_INTERNAL_ONLY',
        ]),
      ),
      frontend,
    });
    expect(ingress(deployed.byDefault)).to.deep.equal(outside('INGRESS_TRAFFIC_ALL'));
    // Behind a load balancer, nobody goes around it.
    expect(ingress(deployed.withEverything)).to.deep.equal(
      outside('INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER', 'janitor', pipeline.steps[0]?.name),
    );
  });

  it('lets everybody in at the frontend alone, and only where that is wanted', () => {
    const openTo = (resources: Resources) =>
      Object.entries(all(resources, 'google_cloud_run_v2_service.service')).flatMap(([name, one]) =>
        one.invoker_iam_disabled ? [name] : [],
      );
    expect(openTo(deployed.byDefault)).to.deep.equal([]);
    expect(openTo(deployed.withEverything)).to.deep.equal(['frontend']);
  });

  it('keeps the source where it is built: in the region, or in one of its own', () => {
    const place = (resources: Resources) => only(resources, 'google_storage_bucket.source').location;
    expect(place(deployed.byDefault)).to.equal('europe-west1');
    expect(place(deployed.withEverything)).to.equal('us-central1');
  });

  it('[anomaly 33] gives an instance enough requests to fill batches, and asks for its health where it answers', () => {
    for (const service of Object.values(all(deployed.byDefault, 'google_cloud_run_v2_service.service'))) {
      const [template] = service.template as Body[];
      expect(template?.max_instance_request_concurrency).to.be.at.least(2 * BATCH_MAX);
      expect(template?.scaling).to.deep.equal([{ min_instance_count: 0, max_instance_count: 4 }]);
      const { startup_probe: startup, liveness_probe: liveness } = container(service) as Record<
        string,
        [{ http_get: unknown }]
      >;
      expect([startup?.[0].http_get, liveness?.[0].http_get]).to.deep.equal([
        [{ path: '/readyz' }],
        [{ path: '/livez' }],
      ]);
    }
  });

  describe('the environment', () => {
    /** Every variable that the code checks: its own, and those that steps and services declare. */
    const checked = readFileSync(new URL('programs/config.ts', packageRoot), 'utf8').matchAll(
      /^ {4}([A-Z_]+): /gm,
    );
    const declared = [...pipeline.steps, ...pipeline.services].map(({ settings = {} }) => settings);
    const known = [
      ...[...checked].map(([, name = '']) => name),
      ...declared.flatMap((settings) => Object.keys(settings)),
    ];
    const common = (database: string) => ({
      BACKEND: 'gcp',
      FIRESTORE_DATABASE: database,
      LOG_LEVEL: 'info',
      PROJECT_ID: 'my-project',
    });
    const telemetry = {
      google: {
        TELEMETRY: 'google',
        OTEL_RESOURCE_ATTRIBUTES: 'cloud.platform=gcp_cloud_run,cloud.region=europe-west1',
      },
      off: { TELEMETRY: 'off' },
    };
    const toldApart = {
      CUSTOMER_AUTH: 'oidc',
      CUSTOMER_ISSUER: 'https://accounts.example',
      CUSTOMER_AUDIENCE: 'shop',
      CUSTOMER_CLAIM: 'sub',
    };
    /** Cloud Run's IAM knows the operators of each service that they call. */
    const operators = ({ routes }: Service) =>
      routes().some(({ audience }) => audience === 'operators') ? { OPERATOR_AUTH: 'platform' } : {};
    const own = (service: Service) => ({
      SAGA_DEADLINE_SECONDS: '900',
      ...operators(service),
      ...(service.name === 'janitor' && { SWEEP_INTERVAL_SECONDS: '0' }),
    });
    const pushed = (service: string) =>
      deployed.readers.includes(service) ? { SUBSCRIBER: 'push', PUSH_AUTH: 'platform' } : {};

    it('[anomaly 26] of each service is what it needs, and nothing else', () => {
      const behindTwo = { TRUSTED_PROXIES: '2' };
      for (const [resources, database, sent, customers, frontend] of [
        [deployed.byDefault, '(default)', telemetry.google, {}, {}],
        [deployed.withEverything, 'orders', telemetry.off, toldApart, behindTwo],
      ] as const) {
        const made = all(resources, 'google_cloud_run_v2_service.service');
        for (const service of deployed.services) {
          const { name } = service;
          expect(environment(container(made[name])), name).to.deep.equal({
            ...common(database),
            ...sent,
            ...customers,
            ...own(service),
            ...pushed(name),
            ...(name === 'frontend' && frontend),
          });
        }
      }
    });

    it('of each worker is that of its service, without what only callers need', () => {
      expect(all(deployed.byDefault, 'google_cloud_run_v2_worker_pool.worker')).to.deep.equal({});
      const workers = all(deployed.withEverything, 'google_cloud_run_v2_worker_pool.worker');
      expect(Object.keys(workers)).to.have.members(deployed.readers);
      for (const service of deployed.services.filter(({ name }) => name in workers)) {
        const { name } = service;
        const worker = workers[name];
        expect(container(worker).args).to.deep.equal(['dist/programs/service.js', name]);
        expect(environment(container(worker)), name).to.deep.equal({
          ...common('orders'),
          ...telemetry.off,
          ...own(service),
          SUBSCRIBER: 'pull',
        });
      }
    });

    /** Which settings a service asks for when it is made. */
    async function askedBy(service: string): Promise<ReadonlySet<unknown>> {
      const asked = new Set<unknown>();
      const settings = new Proxy(SETTINGS, {
        get(target, name) {
          asked.add(name);
          return Reflect.get(target, name);
        },
      });
      serviceOf(pipeline, service, await recordedPorts(), settings);
      return asked;
    }

    it('is understood by the code: each variable is known, and each service gets those that it reads', async () => {
      const made = all(deployed.byDefault, 'google_cloud_run_v2_service.service');
      for (const [name, service] of Object.entries(made)) {
        const variables = environment(container(service));
        expect(known).to.include.members(Object.keys(variables));
        const text = Object.entries(variables).filter(
          (one): one is [string, string] => typeof one[1] === 'string',
        );
        expect(readConfig(Object.fromEntries(text), pipeline)).to.include({
          projectId: 'my-project',
          backend: 'gcp',
          isEmulated: false,
        });
        const asked = await askedBy(name);
        const sweeps = 'SWEEP_INTERVAL_SECONDS' in variables;
        expect(sweeps, `${name} sweeps`).to.equal(asked.has('sweepIntervalSeconds'));
        // All of them get the deadline, also one that needs none because it moves no order.
        expect(variables).to.include.keys('SAGA_DEADLINE_SECONDS');
      }
    });

    it('of each job is that of every program', () => {
      const jobs = all(deployed.byDefault, 'google_cloud_run_v2_job.job');
      const programs = Object.entries(jobs).map(([name, { template }]) => {
        const [{ template: inner }] = template as [{ template: [Body] }];
        const program = container({ template: inner });
        expect(environment(program)).to.deep.equal(common('(default)'));
        return [name, program.args, inner[0].service_account];
      });
      expect(programs).to.deep.equal([
        ['data-init', ['dist/programs/data-init.js'], emailOf('data-init')],
        ['doctor', ['dist/programs/doctor.js'], emailOf('janitor')],
      ]);
      for (const [, [script]] of programs as [string, [string]][]) {
        expect(existsSync(new URL(script, packageRoot)), script).to.equal(true);
      }
    });
  });

  describe('for a saga with a step more, which operators call', () => {
    let evaluated: Promise<Resources> | undefined;
    function madeForIt(): Promise<Resources> {
      const topology = JSON.parse(readFileSync(new URL('infra/topology.json', packageRoot), 'utf8'));
      topology.topics['points-earned'] = 'the points are on the card';
      const subscription = {
        topic: pipeline.topicOf(pipeline.success),
        policy: 'service',
        service: 'loyalty',
      };
      topology.subscriptions['loyalty-sub'] = subscription;
      topology.services.loyalty = {
        publishes: ['points-earned'],
        hasOperatorRoutes: true,
        customerRoutes: [],
        settings: ['POINTS_PER_ORDER', 'POINTS_MAX'],
      };
      topology.services.frontend.hasOperatorRoutes = true;
      const given = { ...REQUIRED, settings: { loyalty: { POINTS_PER_ORDER: '2' } } };
      const generated = { 'topology.json': JSON.stringify(topology) };
      evaluated ??= readConfiguration().then((configuration) => evaluate(configuration, given, generated));
      return evaluated;
    }

    longTest(
      'make its service as they make those of the others, with those of its settings that are given',
      async function () {
        this.timeout(60_000);
        const made = await madeForIt();
        const { loyalty, [pipeline.steps[0]?.name ?? '']: other } = all(
          made,
          'google_cloud_run_v2_service.service',
        );
        const named = JSON.parse(
          JSON.stringify(other).replaceAll(pipeline.steps[0]?.name ?? '', 'loyalty'),
        ) as Body;
        const { env, ...own } = container(loyalty);
        expect(own).to.deep.equal(withoutEnvironment(container(named)));
        expect(environment({ env })).to.deep.equal({
          ...environment(container(other)),
          OPERATOR_AUTH: 'platform',
          POINTS_PER_ORDER: '2',
        });
      },
    );

    longTest(
      'take nobody for an operator at the frontend, which may be open to everybody',
      async function () {
        this.timeout(60_000);
        const { frontend } = all(await madeForIt(), 'google_cloud_run_v2_service.service');
        expect(environment(container(frontend))).not.to.have.any.keys('OPERATOR_AUTH', 'OPERATOR_TOKEN');
      },
    );

    longTest('give it its subscription and its topic', async function () {
      this.timeout(60_000);
      const made = await madeForIt();
      const { 'loyalty-sub': subscription } = all(made, 'google_pubsub_subscription.subscription');
      expect(subscription?.push_config).to.deep.equal([
        {
          push_endpoint: `${urlOf('loyalty')}/push/loyalty-sub`,
          oidc_token: [{ service_account_email: emailOf('push'), audience: urlOf('loyalty') }],
        },
      ]);
      expect(Object.keys(all(made, 'google_pubsub_topic_iam_member.publisher'))).to.include(
        'loyalty/points-earned',
      );
      // There is no secret that no service asks for.
      expect(all(made, 'google_secret_manager_secret.secret')).to.deep.equal({});
    });
  });

  describe('for a webhook', () => {
    const given = { ...REQUIRED, settings: { notifier: { WEBHOOK_URL: 'https://shop.example/orders' } } };
    const signing = {
      WEBHOOK_URL: 'https://shop.example/orders',
      WEBHOOK_SECRET: [{ secret_key_ref: [{ secret: 'webhook-secret', version: 'latest' }] }],
    };

    longTest(
      'give the notifier its URL and the secret to sign with, whether it is pushed to or pulls',
      async function () {
        this.timeout(60_000);
        const configuration = await readConfiguration();
        const [pushed, pulled] = await Promise.all([
          evaluate(configuration, given),
          evaluate(configuration, { ...given, subscriber: 'pull' }),
        ]);
        for (const [made, resource] of [
          [pushed, 'google_cloud_run_v2_service.service'],
          [pulled, 'google_cloud_run_v2_service.service'],
          [pulled, 'google_cloud_run_v2_worker_pool.worker'],
        ] as const) {
          const { notifier, ...others } = all(made, resource);
          expect(environment(container(notifier)), resource).to.deep.include(signing);
          expect(JSON.stringify(others)).not.to.contain('WEBHOOK');
          expect(Object.keys(all(made, 'google_secret_manager_secret_iam_member.reader'))).to.deep.equal([
            'notifier/webhook-secret',
          ]);
        }
      },
    );

    it('take no secret as a setting, where it would stay in the state', async function () {
      this.timeout(60_000);
      const told = { ...REQUIRED, settings: { notifier: { WEBHOOK_SECRET: 'whsec_' } } };
      const complaint = await evaluate(await readConfiguration(), told).then(
        () => 'nothing',
        (error: Error) => error.message,
      );
      expect(complaint).to.contain('A service has no such setting').and.to.contain('notifier.WEBHOOK_URL');
      expect(complaint).not.to.contain('notifier.WEBHOOK_SECRET');
    });
  });

  it('protects the database until it is told otherwise', () => {
    const protection = (resources: Resources) => [
      only(resources, 'google_firestore_database.database').delete_protection_state,
      ...Object.entries(resources).flatMap(([address, one]) =>
        address.startsWith('google_cloud_run_v2_') && 'deletion_protection' in one
          ? [one.deletion_protection]
          : [],
      ),
    ];
    expect(new Set(protection(deployed.byDefault))).to.deep.equal(
      new Set(['DELETE_PROTECTION_ENABLED', true]),
    );
    expect(new Set(protection(deployed.withEverything))).to.deep.equal(
      new Set(['DELETE_PROTECTION_DISABLED', false]),
    );
  });

  it('[anomaly 27] asks the janitor for a sweep every minute', () => {
    const { schedule, http_target: target } = only(deployed.byDefault, 'google_cloud_scheduler_job.sweep');
    const routes = deployed.services
      .find(({ name }) => name === 'janitor')
      ?.routes()
      .map(({ method, path }) => `${method} ${path}`);
    expect(routes).to.include('POST /sweep');
    expect({ schedule, target }).to.deep.equal({
      schedule: '* * * * *',
      target: [
        {
          http_method: 'POST',
          uri: `${urlOf('janitor')}/sweep`,
          oidc_token: [
            {
              service_account_email: emailOf('sweep'),
              audience: urlOf('janitor'),
            },
          ],
        },
      ],
    });
  });
});
