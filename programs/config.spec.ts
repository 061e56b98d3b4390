import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { notifier } from '../notifier/service.ts';
import { pipeline } from '../pipeline.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { shopOfThree } from '../test/support/shop-of-three.ts';
import { type Config, packageRoot, readConfig } from './config.ts';

/** With the settings of the notifier. */
const shop = { ...shopOfThree, settings: { ...shopOfThree.settings, ...notifier.settings } };

const HEADING = 'The configuration is wrong (environment or .env):';
const faultsOf = (environment: Record<string, string>): string[] => {
  try {
    readConfig(environment, shop);
  } catch (error) {
    const [heading, ...faults] = (error as Error).message.split('\n');
    expect(heading).to.equal(HEADING);
    return faults.map((fault) => fault.trim());
  }
  return [];
};
const TOKEN = '0123456789abcdef0123456789abcdef';
const secretOf = (byteCount: number) => `whsec_${Buffer.alloc(byteCount, 7).toString('base64')}`;
const SECRET = secretOf(64);
const DEFAULTS: Config = {
  projectId: 'embedded',
  port: 8080,
  host: '127.0.0.1',
  backend: 'memory',
  subscriber: 'pull',
  pushIdentity: { audience: 'nobody', serviceAccount: 'nobody' },
  operators: { by: 'loopback' },
  clientChangesPerMinute: 0,
  operatorRequestsPerMinute: 0,
  trustedProxies: 0,
  firestoreDatabase: '(default)',
  isEmulated: false,
  logLevel: 'info',
  telemetry: 'off',
  metrics: 'off',
  storeTimeoutMs: 10_000,
  publishTimeoutMs: 10_000,
  deadlineSeconds: 900,
  sweepIntervalSeconds: 10,
  slowDownMs: {},
  declared: {
    ORDER_MODE: 'choreography',
    APPROVAL_ABOVE: undefined,
    APPROVAL_HOURS: 24,
    WAREHOUSE_LOCATION: { lat: 52.09, lng: 5.12 },
    DELIVERY_BASE_COST: 0,
    DELIVERY_COST_PER_KM: 1,
    PAYMENT_FAIL_PROBABILITY: 0,
    PAYMENT_FAIL_EVERY: 0,
    WEBHOOK_URL: undefined,
    WEBHOOK_SECRET: undefined,
    WEBHOOK_TIMEOUT_MS: 5000,
  },
};

describe('The configuration', () => {
  it('needs nothing but the word that the embedded engine is meant', () => {
    expect(readConfig({ BACKEND: 'memory' }, shop)).to.deep.equal(DEFAULTS);
  });

  it('takes every variable', () => {
    const environment = {
      PROJECT_ID: 'demo-saga',
      PORT: '0',
      HOST: '0.0.0.0',
      BACKEND: 'gcp',
      FIRESTORE_DATABASE: 'orders',
      SUBSCRIBER: 'push',
      PUSH_AUDIENCE: 'https://order.example',
      PUSH_SERVICE_ACCOUNT: 'push@demo-saga.iam.gserviceaccount.com',
      OPERATOR_AUTH: 'token',
      OPERATOR_TOKEN: TOKEN,
      CUSTOMER_AUTH: 'oidc',
      CUSTOMER_ISSUER: 'https://accounts.example',
      CUSTOMER_AUDIENCE: 'shop',
      CUSTOMER_CLAIM: 'email',
      CLIENT_CHANGES_PER_MINUTE: '60',
      OPERATOR_REQUESTS_PER_MINUTE: '10',
      TRUSTED_PROXIES: '2',
      PUBSUB_EMULATOR_HOST: '127.0.0.1:8085',
      FIRESTORE_EMULATOR_HOST: 'localhost:8086',
      LOG_LEVEL: 'warn',
      TELEMETRY: 'google',
      OTEL_RESOURCE_ATTRIBUTES: 'cloud.platform=gcp_cloud_run,cloud.region=europe-west1',
      METRICS: 'prometheus',
      STORE_TIMEOUT_MS: '100',
      PUBLISH_TIMEOUT_MS: '600000',
      SAGA_DEADLINE_SECONDS: '60',
      SWEEP_INTERVAL_SECONDS: '0',
      SLOW_DOWN: 'inventory=500, payments = 60000',
      ORDER_MODE: 'orchestration',
      APPROVAL_ABOVE: '1000',
      APPROVAL_HOURS: '1',
      WAREHOUSE_LOCATION: '-33.9, 18.4',
      DELIVERY_BASE_COST: '3',
      DELIVERY_COST_PER_KM: '2',
      PAYMENT_FAIL_PROBABILITY: '0.25',
      PAYMENT_FAIL_EVERY: '10',
      WEBHOOK_URL: 'https://shop.example/orders?from=saga',
      WEBHOOK_SECRET: SECRET,
      WEBHOOK_TIMEOUT_MS: '30000',
    };
    expect(readConfig(Object.freeze(environment), shop)).to.deep.equal({
      projectId: 'demo-saga',
      port: 0,
      host: '0.0.0.0',
      backend: 'gcp',
      subscriber: 'push',
      pushIdentity: {
        audience: 'https://order.example',
        serviceAccount: 'push@demo-saga.iam.gserviceaccount.com',
      },
      operators: { by: 'token', token: TOKEN },
      customerIdentity: { issuer: 'https://accounts.example', audience: 'shop', claim: 'email' },
      clientChangesPerMinute: 60,
      operatorRequestsPerMinute: 10,
      trustedProxies: 2,
      firestoreDatabase: 'orders',
      isEmulated: true,
      logLevel: 'warn',
      telemetry: 'google',
      metrics: 'prometheus',
      storeTimeoutMs: 100,
      publishTimeoutMs: 600_000,
      deadlineSeconds: 60,
      sweepIntervalSeconds: 0,
      slowDownMs: { inventory: 500, payments: 60_000 },
      declared: {
        ORDER_MODE: 'orchestration',
        APPROVAL_ABOVE: 1000,
        APPROVAL_HOURS: 1,
        WAREHOUSE_LOCATION: { lat: -33.9, lng: 18.4 },
        DELIVERY_BASE_COST: 3,
        DELIVERY_COST_PER_KM: 2,
        PAYMENT_FAIL_PROBABILITY: 0.25,
        PAYMENT_FAIL_EVERY: 10,
        WEBHOOK_URL: 'https://shop.example/orders?from=saga',
        WEBHOOK_SECRET: SECRET,
        WEBHOOK_TIMEOUT_MS: 30_000,
      },
    });
  });

  it('[anomaly 26] does not let the variable of gcloud mix an emulator with Google', () => {
    const environment = {
      PROJECT_ID: 'demo-saga',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB: 'http://127.0.0.1:8085/',
    };
    expect(faultsOf(environment)).to.deep.equal([
      'CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB is set, and would lead to the emulator: unset it, or name both emulators',
    ]);
    const emulated = { PUBSUB_EMULATOR_HOST: '127.0.0.1:8085', FIRESTORE_EMULATOR_HOST: '127.0.0.1:8086' };
    expect(faultsOf({ ...environment, ...emulated })).to.deep.equal([]);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig({ BACKEND: 'memory', PORT: '', PROJECT_ID: ' ', LOG_LEVEL: '\t' }, shop)).to.deep.equal(
      DEFAULTS,
    );
  });

  const wrong: readonly (readonly [name: string, values: readonly string[], message: string])[] = [
    [
      'PROJECT_ID',
      ['Demo', 'x', 'demo_saga', 'demo-', `a${'b'.repeat(30)}`],
      'must be the id of a Google Cloud project',
    ],
    ['SAGA_DEADLINE_SECONDS', ['0', '-1', 'soon'], 'must be a whole number from 1 to 2592000'],
    ['SWEEP_INTERVAL_SECONDS', ['-1', '86401'], 'must be a whole number from 0 to 86400'],
    [
      'SLOW_DOWN',
      ['stock=500', 'order=1,stock=500', 'stock'],
      'names no step: stock; there are order, inventory, payments',
    ],
    ['PORT', ['-1', '65536', '80.5', 'http'], 'must be a whole number from 0 to 65535'],
    ['BACKEND', ['aws', 'Memory'], 'must be memory or gcp'],
    [
      'PUBSUB_EMULATOR_HOST',
      ['localhost', 'http://localhost:8085', ':8085'],
      'must be host:port, such as 127.0.0.1:8085',
    ],
    [
      'FIRESTORE_EMULATOR_HOST',
      ['localhost', 'a:b', '127.0.0.1:65536'],
      'must be host:port, such as 127.0.0.1:8085',
    ],
    [
      'FIRESTORE_DATABASE',
      ['a b/c', 'Orders', 'one', 'orders-', 'default'.repeat(10)],
      'must be (default), or 4 to 63 small letters, digits and hyphens that begin with a letter',
    ],
    [
      'OTEL_TRACES_SAMPLER',
      ['nonsense'],
      'must be always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio, or not be set: then 100 traces begin a second',
    ],
    ['LOG_LEVEL', ['verbose'], 'must be debug, info, warn, error, fatal or silent'],
    ['TELEMETRY', ['on', 'OTLP'], 'must be off, otlp or google'],
    ['METRICS', ['on', 'otlp'], 'must be off or prometheus'],
    ['STORE_TIMEOUT_MS', ['99', '600001', 'ten'], 'must be a whole number from 100 to 600000'],
    ['PUBLISH_TIMEOUT_MS', ['99', '600001', '1e9'], 'must be a whole number from 100 to 600000'],
    ['OPERATOR_AUTH', ['none', 'TOKEN'], 'must be token or platform'],
    [
      'OPERATOR_TOKEN',
      ['secret', 'x'.repeat(31), `${'x'.repeat(32)} `, `${'x'.repeat(31)}"`],
      'must have at least 32 letters, digits or -._~+/=, as `openssl rand -hex 32` gives',
    ],
    ['CLIENT_CHANGES_PER_MINUTE', ['-1', '1000001', 'many'], 'must be a whole number from 0 to 1000000'],
    ['OPERATOR_REQUESTS_PER_MINUTE', ['-1', '1000001', 'many'], 'must be a whole number from 0 to 1000000'],
    ['CUSTOMER_AUTH', ['on', 'OIDC'], 'must be off or oidc'],
    ['CUSTOMER_CLAIM', ['user name', 'x'.repeat(101)], 'must be the name of a claim, such as sub'],
    ['TRUSTED_PROXIES', ['-1', '11', 'true'], 'must be a whole number from 0 to 10'],
    [
      'PAYMENT_FAIL_PROBABILITY',
      ['-0.1', '1.1', 'half', 'NaN', '0x1', '1e0'],
      'must be a number from 0 to 1',
    ],
    ['PAYMENT_FAIL_EVERY', ['-1', '0.5', 'third'], 'must be a whole number from 0 to 1000000000'],
    [
      'WEBHOOK_URL',
      [
        ...['shop.example', 'http://shop.example', 'http://127.0.0.1.shop.example', 'ftp://127.0.0.1'],
        ...['https://me@shop.example', 'https://:pass@shop.example', 'http://0.0.0.0', 'http://10.0.0.1'],
      ],
      'must be an https URL without user and password; http will do for this machine alone',
    ],
    [
      'WEBHOOK_SECRET',
      [
        ...['hush hush', SECRET.slice('whsec_'.length), `${SECRET} `, SECRET.replaceAll('=', '')],
        ...[secretOf(23), secretOf(65), 'whsec_'],
      ],
      'must be whsec_ and 24 to 64 bytes in base64',
    ],
    ['WEBHOOK_TIMEOUT_MS', ['99', '30001', 'long'], 'must be a whole number from 100 to 30000'],
  ];
  for (const [name, values, message] of wrong) {
    it(`[anomaly 26] refuses ${name}=${values.join(', ')}`, () => {
      for (const value of values) {
        expect(faultsOf({ BACKEND: 'memory', [name]: value }), value).to.deep.equal([`${name} ${message}`]);
      }
    });
  }

  it('[anomaly 26] names every variable that is wrong or missing in one error', () => {
    const environment = Object.fromEntries(wrong.map(([name, [value = '']]) => [name, value]));
    expect(faultsOf(environment)).to.have.members(wrong.map(([name, , message]) => `${name} ${message}`));
    expect(
      faultsOf({ PORT: 'http', LOG_LEVEL: 'verbose', PUBSUB_EMULATOR_HOST: 'localhost:8085' }),
    ).to.have.members([
      'PORT must be a whole number from 0 to 65535',
      'LOG_LEVEL must be debug, info, warn, error, fatal or silent',
      'PROJECT_ID is missing: BACKEND=gcp needs a project',
      'FIRESTORE_EMULATOR_HOST is missing: one half on an emulator and the other on Google would mix test and real orders',
    ]);
  });

  it('takes a webhook on this machine without https', () => {
    for (const host of ['localhost:8081', '127.0.0.1', '127.1.2.3:80', '[::1]:8081']) {
      expect(faultsOf({ BACKEND: 'memory', WEBHOOK_URL: `http://${host}/hook` }), host).to.deep.equal([]);
    }
    for (const secret of [secretOf(24), SECRET]) {
      expect(faultsOf({ BACKEND: 'memory', WEBHOOK_SECRET: secret })).to.deep.equal([]);
    }
  });

  it('[anomaly 26] names the step whose slow-down is wrong', () => {
    for (const delay of ['=-1', '=60001', '=soon', '=5=6', '=', '']) {
      expect(faultsOf({ BACKEND: 'memory', SLOW_DOWN: `order=1,payments${delay}` }), delay).to.deep.equal([
        'SLOW_DOWN.payments must be a whole number from 0 to 60000',
      ]);
    }
  });

  it('[anomaly 26] sends telemetry to Google only where there is a project', () => {
    expect(faultsOf({ BACKEND: 'memory', TELEMETRY: 'google' })).to.deep.equal([
      'TELEMETRY must be off or otlp with BACKEND=memory: there is no project that Google could file it under',
    ]);
  });

  it('[anomaly 26] sends telemetry to Google only where it says where it is from', () => {
    const google = { PROJECT_ID: 'demo-saga', TELEMETRY: 'google' };
    const place =
      'OTEL_RESOURCE_ATTRIBUTES must say where this is with TELEMETRY=google, such as cloud.region=europe-west1: Google drops every metric without a place';
    for (const attributes of ['', 'cloud.platform=gcp_cloud_run', 'cloud.region=', 'my.cloud.region=x']) {
      expect(faultsOf({ ...google, OTEL_RESOURCE_ATTRIBUTES: attributes }), attributes).to.deep.equal([
        place,
      ]);
    }
    for (const attributes of [
      'cloud.region=europe-west1',
      'a=b, location = here',
      'cloud.availability_zone=x',
    ]) {
      expect(faultsOf({ ...google, OTEL_RESOURCE_ATTRIBUTES: attributes }), attributes).to.deep.equal([]);
    }
    expect(faultsOf({ PROJECT_ID: 'demo-saga', TELEMETRY: 'otlp' })).to.deep.equal([]);
  });

  it('[anomaly 26] needs a project unless the embedded engine is meant', () => {
    expect(faultsOf({})).to.deep.equal(['PROJECT_ID is missing: BACKEND=gcp needs a project']);
  });

  it('[anomaly 26] never mixes an emulator with Google itself', () => {
    for (const [given, absent] of [
      ['PUBSUB_EMULATOR_HOST', 'FIRESTORE_EMULATOR_HOST'],
      ['FIRESTORE_EMULATOR_HOST', 'PUBSUB_EMULATOR_HOST'],
    ] as const) {
      expect(faultsOf({ PROJECT_ID: 'demo-saga', [given]: 'localhost:8085' })).to.deep.equal([
        `${absent} is missing: one half on an emulator and the other on Google would mix test and real orders`,
      ]);
      expect(faultsOf({ BACKEND: 'memory', [given]: 'localhost:8085' })).to.deep.equal([]);
    }
  });

  describe('of the operators', () => {
    const operatorsBy = (environment: Record<string, string>) =>
      readConfig({ BACKEND: 'memory', ...environment }, shop).operators;

    it('[anomaly 39] takes whoever is on this machine for one, only where nobody else can reach the service', () => {
      for (const HOST of ['127.0.0.1', 'localhost', '::1', '127.1.2.3']) {
        expect(operatorsBy({ HOST }), HOST).to.deep.equal({ by: 'loopback' });
      }
      for (const HOST of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'localhost.example']) {
        expect(operatorsBy({ HOST }), HOST).to.equal(undefined);
      }
    });

    it('asks for the token wherever there is one, and leaves it to the platform only where that is said', () => {
      for (const HOST of ['127.0.0.1', '0.0.0.0']) {
        expect(operatorsBy({ HOST, OPERATOR_TOKEN: TOKEN })).to.deep.equal({ by: 'token', token: TOKEN });
        expect(operatorsBy({ HOST, OPERATOR_AUTH: 'platform' })).to.deep.equal({ by: 'platform' });
      }
    });

    it('[anomaly 26] explains what does not go together, and never repeats a token', () => {
      const faults = (environment: Record<string, string>) => faultsOf({ BACKEND: 'memory', ...environment });
      expect(faults({ OPERATOR_AUTH: 'token' })).to.deep.equal([
        "OPERATOR_TOKEN is missing: with OPERATOR_AUTH=token it opens the operators' routes",
      ]);
      expect(faults({ OPERATOR_AUTH: 'platform', OPERATOR_TOKEN: TOKEN })).to.deep.equal([
        'OPERATOR_TOKEN must not be set with OPERATOR_AUTH=platform: nobody would ask for it',
      ]);
      expect(faults({ OPERATOR_TOKEN: 'hush hush' }).join()).not.to.contain('hush');
    });

    it('limits the rates of clients except on this machine, and believes one proxy on Cloud Run', () => {
      const { clientChangesPerMinute, operatorRequestsPerMinute, trustedProxies } = readConfig(
        {
          BACKEND: 'memory',
          HOST: '0.0.0.0',
          K_SERVICE: 'janitor',
        },
        shop,
      );
      expect([clientChangesPerMinute, operatorRequestsPerMinute, trustedProxies]).to.deep.equal([
        6000, 300, 1,
      ]);
    });
  });

  describe('of the customers', () => {
    const identityBy = (environment: Record<string, string>) =>
      readConfig({ BACKEND: 'memory', ...environment }, shopOfThree).customerIdentity;
    const faults = (environment: Record<string, string>) => faultsOf({ BACKEND: 'memory', ...environment });
    const OIDC = { CUSTOMER_AUTH: 'oidc', CUSTOMER_AUDIENCE: 'shop' };

    it('does not tell them apart unless that is said, and then by the subject of their token', () => {
      expect(identityBy({})).to.equal(undefined);
      expect(identityBy({ CUSTOMER_AUTH: 'off', CUSTOMER_ISSUER: 'https://accounts.example' })).to.equal(
        undefined,
      );
      expect(identityBy({ ...OIDC, CUSTOMER_ISSUER: 'https://accounts.example' })).to.deep.equal({
        issuer: 'https://accounts.example',
        audience: 'shop',
        claim: 'sub',
      });
    });

    it('takes keys only from where nobody on the way can change them', () => {
      for (const CUSTOMER_ISSUER of ['https://accounts.example/realms/shop', 'http://127.0.0.1:9000']) {
        expect(faults({ ...OIDC, CUSTOMER_ISSUER }), CUSTOMER_ISSUER).to.deep.equal([]);
      }
      for (const CUSTOMER_ISSUER of [
        'http://accounts.example',
        'http://127.0.0.1.example',
        'https://me:secret@accounts.example',
        'https://accounts.example?x',
        'file:///etc/keys',
        'accounts.example',
      ]) {
        expect(faults({ ...OIDC, CUSTOMER_ISSUER }), CUSTOMER_ISSUER).to.deep.equal([
          'CUSTOMER_ISSUER must be an https URL, such as https://accounts.google.com, or http on this machine',
        ]);
      }
    });

    it('[anomaly 26] explains what is missing, also where an issuer alone would change nothing', () => {
      expect(faults({ CUSTOMER_AUTH: 'oidc' })).to.deep.equal([
        'CUSTOMER_ISSUER is missing: CUSTOMER_AUTH=oidc needs it to check tokens',
        'CUSTOMER_AUDIENCE is missing: CUSTOMER_AUTH=oidc needs it to check tokens',
      ]);
      expect(faults({ CUSTOMER_ISSUER: 'https://accounts.example' })).to.deep.equal([
        'CUSTOMER_AUTH is missing: with CUSTOMER_ISSUER, say oidc, or off if nobody is to ask for tokens',
      ]);
    });
  });

  it('[anomaly 26] finds the topology of the project in order', () => {
    expect(topologyOf(shop).topics).to.include('frontend');
  });
});

describe('The example of an environment', () => {
  const example = readFileSync(new URL('.env.example', packageRoot), 'utf8');

  for (const { name, settings = {} } of [...pipeline.services, ...pipeline.steps]) {
    it(`explains every setting of ${name}`, () => {
      for (const setting of Object.keys(settings)) {
        const [, explanation] =
          new RegExp(`^# (.+)\\n(?:[A-Z_]+=.*\\n)*${setting}=`, 'm').exec(example) ?? [];
        if (explanation === undefined) throw new Error(`.env.example doesn't explain ${setting} of ${name}`);
      }
    });
  }
});
