import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { deadLetterOf } from '../../saga/deliver/message.ts';
import { declareTopology, subscriptionOf, topologyOf } from '../../saga/deliver/topology.ts';
import { leftBy } from '../../saga/ledger/ledger.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';
import { aDelivery, aLedgerThatIs } from '../support/builders.ts';
import { agentOf, type Deployments, deployments, emailOf } from './deployments.ts';
import type { Resources } from './evaluate.ts';

describe('The rights that Terraform grants', () => {
  const topology = topologyOf(pipeline);
  const names = Object.keys(topology.subscriptions);
  const PUBSUB = 'serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com';
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  /** Everything that is granted, each as "who may what where". */
  function granted(resources: Resources): string[] {
    return Object.entries(resources).flatMap(([address, body]) => {
      if (!/_iam_(member|binding)\b/.test(address)) return [];
      const {
        member,
        members = [member],
        role,
        condition = [],
      } = body as {
        member?: string;
        members?: string[];
        role: string;
        condition?: { expression: string }[];
      };
      const {
        topic,
        subscription,
        secret_id: secret,
        service_account_id: account,
        bucket,
        repository,
        name,
        project,
        table_id: table,
      } = body;
      const place =
        topic ??
        table ??
        subscription ??
        secret ??
        account ??
        bucket ??
        repository ??
        (name === undefined || address.includes('_project_') ? project : name);
      const where = [String(place).split('/').at(-1), ...condition.map(({ expression }) => expression)].join(
        ' if ',
      );
      return members.map((one) => `${one} ${role} ${where}`);
    });
  }
  const subscribed = (service: string) =>
    deployed.services
      .filter(({ name }) => name === service)
      .flatMap(({ consumers }) => consumers.map(({ topic }) => subscriptionOf(topology, service, topic)));
  /** What a service may publish, by the code: what the ledgers that it leaves call for, refusals, and what it can't read. */
  function publishes(service: string): readonly string[] {
    if (service === 'janitor') return topology.topics;
    const workflow = pipeline.workflow?.topic ?? '';
    // It may leave an order in any status, but pauses none.
    if (service === 'orchestrator') {
      const statuses = pipeline.statuses.filter((status) => status !== 'PAUSED');
      return [...statuses.map((status) => pipeline.topicOf(status)), workflow, DEAD_LETTER_TOPIC];
    }
    const left = pipeline.statuses
      .filter((status) => leftBy(aLedgerThatIs(status), service as never))
      .map((status) => pipeline.topicOf(status));
    // Whoever hears words lets orders go on.
    const hears = pipeline.steps.some(({ waits }) => waits?.heardBy === service);
    const deadLetters = deployed.readers.includes(service)
      ? [deadLetterOf(aDelivery('poison'), 'No reason').topic]
      : [];
    const resumed = hears ? [pipeline.topicOf('RESUMED')] : [];
    // Whoever begins an order, or hears a word for it, may leave an orchestrated one standing.
    const begins = [deployed.serviceNames[0], pipeline.steps[0]?.name].includes(service);
    const workflows = hears || begins ? [workflow] : [];
    // Whoever moves ledgers may let them fail.
    const refusals = left.length > 0 ? [pipeline.topicOf('FAILING')] : [];
    return [...new Set([...left, ...resumed, ...workflows, ...refusals, ...deadLetters])];
  }
  const expected = (database: string) => [
    ...deployed.serviceNames.flatMap((service) => [
      ...publishes(service).map((topic) => `${agentOf(service)} roles/pubsub.publisher ${topic}`),
      ...topology.topics.map((topic) => `${agentOf(service)} roles/pubsub.viewer ${topic}`),
      ...subscribed(service).map((name) => `${agentOf(service)} roles/pubsub.viewer ${name}`),
    ]),
    ...[...deployed.serviceNames, 'data-init'].map(
      (service) =>
        `${agentOf(service)} roles/datastore.user my-project if resource.name == "projects/my-project/databases/${database}"`,
    ),
    ...[...new Set(names.flatMap((name) => topology.subscriptions[name]?.deadLetter?.topic ?? []))].map(
      (topic) => `${PUBSUB} roles/pubsub.publisher ${topic}`,
    ),
    ...names
      .filter((name) => topology.subscriptions[name]?.deadLetter)
      .map((name) => `${PUBSUB} roles/pubsub.subscriber ${name}`),
    `${PUBSUB} roles/iam.serviceAccountTokenCreator ${emailOf('push')}`,
    `${agentOf('sweep')} roles/run.invoker janitor`,
    `${agentOf('builder')} roles/artifactregistry.writer google_artifact_registry_repository.images`,
    `${agentOf('builder')} roles/storage.objectViewer my-project-order-saga-source`,
    `${agentOf('builder')} roles/logging.logWriter my-project`,
  ];

  it('[anomaly 39] are exactly what the code needs', () => {
    const pushing = deployed.readers.map((service) => `${agentOf('push')} roles/run.invoker ${service}`);
    const sending = deployed.serviceNames.flatMap((service) => [
      `${agentOf(service)} roles/telemetry.tracesWriter my-project`,
      `${agentOf(service)} roles/telemetry.metricsWriter my-project`,
    ]);
    expect(granted(deployed.byDefault).sort()).to.deep.equal(
      [...expected('(default)'), ...pushing, ...sending].sort(),
    );
  });

  it('are others only as far as the variables say', () => {
    expect(granted(deployed.withEverything).sort()).to.deep.equal(
      [
        ...expected('orders'),
        ...deployed.serviceNames.flatMap((service) =>
          subscribed(service).map((name) => `${agentOf(service)} roles/pubsub.subscriber ${name}`),
        ),
        'user:jill@example.com roles/run.invoker janitor',
        `group:warehouse@example.com roles/run.invoker ${pipeline.steps[0]?.name}`,
        `${PUBSUB} roles/bigquery.dataEditor events`,
        ...declareTopology(pipeline).announcing.map(
          (topic) => `${PUBSUB} roles/pubsub.subscriber ${topic}-bigquery-sub`,
        ),
      ].sort(),
    );
  });
});
