import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot, readConfig } from '../../programs/config.ts';
import { longTest } from '../support/thorough.ts';
import { type Body, readConfiguration } from './configuration.ts';
import { all, type Deployments, deployments, emailOf, only, REQUIRED } from './deployments.ts';
import { evaluate } from './evaluate.ts';

interface MatchRule {
  readonly full_path_match?: string;
  readonly path_template_match?: string;
  readonly header_matches: readonly [{ readonly header_name: string; readonly exact_match: string }];
}
interface PathMatcher {
  readonly default_service: string;
  readonly route_rules: readonly {
    readonly priority: number;
    readonly service: string;
    readonly match_rules: readonly MatchRule[];
  }[];
}

describe('The load balancer that Terraform makes', () => {
  const CUSTOMERS = 'google_cloud_run_v2_service.customers';
  const dockerfile = readFileSync(new URL('infra/Dockerfile', packageRoot), 'utf8');
  const SITE = { ...REQUIRED, domain: 'shop.example' };
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  const made = (block: string) => all(deployed.withEverything, block);
  const first = (block: string): Body => made(block)['0'] ?? {};
  /** The services that customers ask something, in the saga's order. */
  const asked = () =>
    deployed.services.filter((service) => service.routes().some(({ audience }) => audience !== 'operators'));
  const behind = () => asked().flatMap(({ name }) => (name === 'frontend' ? [] : [name]));
  /** With what the image says. */
  const environment = (service: Body): Record<string, string> => {
    const [{ containers }] = service.template as [
      { containers: [{ env: { name: string; value: string }[] }] },
    ];
    const own = containers[0].env.map(({ name, value }) => [name, value] as const);
    const [, host = ''] = /^ENV .*\bHOST=(\S+)/m.exec(dockerfile) ?? [];
    return { HOST: host, ...Object.fromEntries(own) };
  };

  /** Which service gets a request, as Google's documentation says of a URL map. */
  function serviceFor(method: string, path: string): string | undefined {
    const [{ default_service: rest, route_rules: rules }] = first('google_compute_url_map.site')
      .path_matcher as [PathMatcher];
    const fits = ({ full_path_match: full, path_template_match: template, header_matches }: MatchRule) => {
      const [{ header_name: header, exact_match: wanted }] = header_matches;
      const pattern = template?.replaceAll('*', '[^/]+') ?? full;
      return header === ':method' && wanted === method && new RegExp(`^${pattern}$`).test(path);
    };
    const rule = [...rules]
      .sort((a, b) => a.priority - b.priority)
      .find(({ match_rules: matches }) => matches.some(fits));
    const backends = Object.entries(made('google_compute_backend_service.site'));
    return backends.find(([, { id }]) => id === (rule?.service ?? rest))?.[0];
  }
  const example = (path: string) => path.replaceAll(/\{\w+\}/g, 'some-thing');

  it('costs nothing where there is no domain: it is not made, and the frontend answers by itself', () => {
    const addresses = Object.keys(deployed.byDefault);
    expect(addresses.filter((address) => /^google_compute_|\.customers\b/.test(address))).to.deep.equal([]);
    const enabled = Object.keys(all(deployed.byDefault, 'google_project_service.api'));
    expect(enabled).to.not.include('compute.googleapis.com');
    expect(made('google_project_service.api')).to.include.keys('compute.googleapis.com');
  });

  it('leads each customer to the service that has the route, as the local gateway does', () => {
    for (const service of asked()) {
      for (const { method, path, audience } of service.routes()) {
        if (audience === 'operators') continue;
        expect(serviceFor(method, example(path)), `${method} ${path}`).to.equal(service.name);
      }
    }
    expect(behind()).to.not.be.empty;
  });

  it('leads to no route of operators and to no push: the frontend, which has none, answers 404', () => {
    const closed = deployed.services.flatMap((service) =>
      service
        .routes()
        .filter(({ audience }) => audience === 'operators')
        .map(({ method, path }) => [method, path] as const),
    );
    expect(closed.length).to.be.greaterThan(20);
    for (const [method, path] of [...closed, ['GET', '/metrics'], ['POST', '/push/x']] as const) {
      expect(serviceFor(method, example(path)), `${method} ${path}`).to.equal('frontend');
    }
    const frontend = deployed.services.find(({ name }) => name === 'frontend');
    expect(frontend?.routes().filter(({ audience }) => audience === 'operators')).to.deep.equal([]);
  });

  it('leads to instances that open no route of operators and take no push, whoever comes', () => {
    expect(Object.keys(made(CUSTOMERS))).to.have.members(behind());
    for (const [name, service] of Object.entries(made(CUSTOMERS))) {
      const [template] = service.template as [{ service_account: string; containers: [{ args: unknown }] }];
      expect(template.service_account).to.equal(emailOf(name));
      expect(template.containers[0].args).to.deep.equal(['dist/programs/service.js', name]);
      const { operators, pushIdentity, customerIdentity, trustedProxies } = readConfig(
        environment(service),
        pipeline,
      );
      expect({ operators, pushIdentity, trustedProxies }, name).to.deep.equal({
        operators: undefined,
        pushIdentity: { audience: 'no-push', serviceAccount: emailOf('push') },
        trustedProxies: 2,
      });
      expect(customerIdentity, name).to.include({ issuer: 'https://accounts.example', audience: 'shop' });
    }
    const audiences = Object.values(made('google_pubsub_subscription.subscription')).flatMap(
      ({ push_config }) => (JSON.stringify(push_config ?? []).includes('"no-push"') ? ['no-push'] : []),
    );
    expect(audiences).to.deep.equal([]);
  });

  it('has instances that are as those of the service itself, apart from who reaches them and their environment', () => {
    const own = (service: Body | undefined) => {
      const { id: _, name: __, ingress, invoker_iam_disabled, deletion_protection, ...rest } = service ?? {};
      const [{ timeout, containers, ...template }] = rest.template as [
        { timeout: string; containers: [Body] },
      ];
      const [{ env, ...container }] = containers;
      return { ...rest, template: { ...template, containers: [container] } };
    };
    for (const [name, service] of Object.entries(made(CUSTOMERS))) {
      expect(own(service), name).to.deep.equal(own(made('google_cloud_run_v2_service.service')[name]));
    }
  });

  it('lets in whoever comes at these instances and the frontend alone, and nobody around it', () => {
    for (const service of Object.values(made(CUSTOMERS))) {
      expect(service).to.include({
        ingress: 'INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER',
        invoker_iam_disabled: true,
      });
    }
    const open = Object.entries(made('google_cloud_run_v2_service.service')).filter(
      ([name, { invoker_iam_disabled: isOpen }]) => isOpen === true && name !== 'frontend',
    );
    expect(open).to.deep.equal([]);
    expect(made('google_cloud_run_v2_service.service').frontend?.ingress).to.equal(
      'INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER',
    );
  });

  it('has a limit for each client before every service, and no timeout that would cut a stream of events', () => {
    const backends = made('google_compute_backend_service.site');
    expect(Object.keys(backends)).to.have.members([...behind(), 'frontend']);
    for (const [name, backend] of Object.entries(backends)) {
      expect(backend, name).to.include({
        load_balancing_scheme: 'EXTERNAL_MANAGED',
        security_policy: first('google_compute_security_policy.site').id,
      });
      expect(backend, name).to.not.have.any.keys('timeout_sec', 'health_checks', 'protocol');
      const groups = made('google_compute_region_network_endpoint_group.site');
      expect(backend.backend).to.deep.equal([{ group: groups[name]?.id }]);
      const service = name === 'frontend' ? 'frontend' : `${name}-customers`;
      expect(groups[name]).to.deep.include({ network_endpoint_type: 'SERVERLESS', cloud_run: [{ service }] });
    }
    const [limit, last] = first('google_compute_security_policy.site').rule as Body[];
    const options = {
      conform_action: 'allow',
      exceed_action: 'deny(429)',
      enforce_on_key: 'IP',
      rate_limit_threshold: [{ count: 1000, interval_sec: 60 }],
    };
    expect(limit).to.deep.include({ action: 'throttle', priority: 1000, rate_limit_options: [options] });
    expect(last).to.include({ action: 'allow', priority: 2_147_483_647 });
  });

  it('answers with the certificate of the domain, and sends what comes unencrypted or under another name there', () => {
    expect(first('google_compute_managed_ssl_certificate.site').managed).to.deep.equal([
      { domains: [SITE.domain] },
    ]);
    const proxy = first('google_compute_target_https_proxy.site');
    expect(proxy).to.deep.include({
      url_map: first('google_compute_url_map.site').id,
      ssl_certificates: [first('google_compute_managed_ssl_certificate.site').id],
    });
    const rules = Object.entries(made('google_compute_global_forwarding_rule.site')).map(
      ([name, { port_range: port, target, load_balancing_scheme: scheme, ip_address: address }]) => {
        expect([scheme, address]).to.deep.equal([
          'EXTERNAL_MANAGED',
          first('google_compute_global_address.site').id,
        ]);
        return [name, port, target];
      },
    );
    expect(rules).to.have.deep.members([
      ['https', '443', proxy.id],
      ['http', '80', first('google_compute_target_http_proxy.redirect').id],
    ]);
    const redirect = { https_redirect: true, strip_query: false };
    expect(first('google_compute_url_map.redirect').default_url_redirect).to.deep.equal([redirect]);
    const map = first('google_compute_url_map.site');
    expect(map.default_url_redirect).to.deep.equal([{ ...redirect, host_redirect: SITE.domain }]);
    expect(map.host_rule).to.deep.equal([{ hosts: [SITE.domain], path_matcher: 'customers' }]);
  });

  it('is where Google looks from outside whether the shop answers', () => {
    const { monitored_resource: watched, http_check: check } = first(
      'google_monitoring_uptime_check_config.shop',
    );
    expect(watched).to.deep.equal([
      { type: 'uptime_url', labels: { project_id: REQUIRED.project, host: SITE.domain } },
    ]);
    const [{ path }] = check as [{ path: string }];
    const open = deployed.services
      .find(({ name }) => name === 'frontend')
      ?.routes()
      .find((route) => route.method === 'GET' && route.path === path);
    expect(open).to.include({ method: 'GET' }).and.not.have.property('audience');
    expect(only(deployed.byDefault, 'google_monitoring_uptime_check_config.shop')).to.deep.equal({});
  });

  longTest('can be taken away again: nothing that it brings is protected', async function () {
    this.timeout(60_000);
    const given = {
      ...SITE,
      public: true,
      customers: { issuer: 'https://accounts.example', audience: 'shop' },
    };
    const brought = Object.entries(await evaluate(await readConfiguration(), given)).filter(
      ([address]) => !(address in deployed.byDefault),
    );
    expect(brought.filter(([address]) => address.startsWith(CUSTOMERS))).to.have.length(behind().length);
    expect(brought.filter(([, { deletion_protection: isProtected }]) => isProtected === true)).to.deep.equal(
      [],
    );
  });

  longTest('is refused where it could let nobody in, or would show everybody everything', async function () {
    this.timeout(60_000);
    const configuration = await readConfiguration();
    const customers = { issuer: 'https://accounts.example', audience: 'shop' };
    for (const given of [{ customers }, { public: true }]) {
      const complaint = await evaluate(configuration, { ...SITE, ...given }).then(
        () => 'nothing',
        (error: Error) => error.message.replaceAll(/\s*[│╷╵]?\s+/g, ' '),
      );
      expect(complaint).to.contain('A domain needs public = true');
    }
  });
});
