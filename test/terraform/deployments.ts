import { pipeline } from '../../pipeline.ts';
import type { Service } from '../../saga/deliver/service.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { SETTINGS } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { shared } from '../support/root-hooks.ts';
import { type Body, readConfiguration } from './configuration.ts';
import { evaluate, type Resources, requireTerraform } from './evaluate.ts';

/** What Terraform makes of our files, and the code that it has to suit. */
export interface Deployments {
  /** With nothing but a project and a region. */
  readonly byDefault: Resources;
  /**
   * With every variable that changes what is made: pulled, public, behind a load balancer, without telemetry, with operators, alerts,
   * a budget, data access logs and events in BigQuery.
   */
  readonly withEverything: Resources;
  readonly services: readonly Service[];
  readonly serviceNames: readonly string[];
  /** The services that read messages. */
  readonly readers: readonly string[];
}

export const REQUIRED = { project: 'my-project', region: 'europe-west1' };
const EVERYTHING = {
  ...REQUIRED,
  subscriber: 'pull',
  telemetry: 'off',
  public: true,
  build_region: 'us-central1',
  customers: { issuer: 'https://accounts.example', audience: 'shop' },
  domain: 'shop.example',
  operators: ['user:jill@example.com'],
  callers: { [pipeline.steps[0]?.name ?? '']: ['group:warehouse@example.com'] },
  deletion_protection: false,
  alert_email: 'jill@example.com',
  monthly_budget: 50,
  firestore_database: 'orders',
  bigquery_events: true,
  data_access_logs: true,
};

/** Evaluated once for all suites of a run; each of them needs Terraform. */
export async function deployments(context: Mocha.Context): Promise<Deployments> {
  context.timeout(120_000);
  await requireTerraform(context);
  const { byDefault, withEverything } = await shared('terraform');
  const services = allServices(pipeline, await recordedPorts(), SETTINGS);
  const reading = services.filter(({ consumers }) => consumers.length > 0);
  return {
    byDefault,
    withEverything,
    services,
    serviceNames: services.map(({ name }) => name),
    readers: reading.map(({ name }) => name),
  };
}

export async function evaluateBoth(): Promise<Pick<Deployments, 'byDefault' | 'withEverything'>> {
  const configuration = await readConfiguration();
  const [byDefault, withEverything] = await Promise.all([
    evaluate(configuration, REQUIRED),
    evaluate(configuration, EVERYTHING),
  ]);
  return { byDefault, withEverything };
}

/** The resources of one block, by their key. */
export const all = (resources: Resources, block: string): Record<string, Body> =>
  Object.fromEntries(
    Object.entries(resources).flatMap(([address, body]) => {
      const [, type, key] = /^([\w.]+)(?:\[(.*)\])?$/.exec(address) ?? [];
      return type === block ? [[key === undefined ? '' : String(JSON.parse(key)), body]] : [];
    }),
  );

/** The resource of a block that makes one. */
export const only = (resources: Resources, block: string): Body => all(resources, block)[''] ?? {};

/** Where a service answers. */
export const urlOf = (service: string): string => `https://${service}-123456789012.europe-west1.run.app`;

/** As whom a program acts. */
export const emailOf = (program: string): string => `saga-${program}@my-project.iam.gserviceaccount.com`;
export const agentOf = (program: string): string => `serviceAccount:${emailOf(program)}`;
