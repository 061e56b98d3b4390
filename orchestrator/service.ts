import type { SagaMessage } from '../saga/deliver/message.ts';
import { createRunner } from '../saga/deliver/runner.ts';
import { type ServiceDefinition, settingsOf } from '../saga/deliver/service.ts';
import { PAUSED } from '../saga/ledger/ledger.ts';
import { orchestrationTask } from '../saga/step/orchestrate.ts';
import { DEAD_LETTER_TOPIC } from '../saga/step/saga.ts';

const NAME = 'orchestrator';

/** Does the steps of orchestrated orders in turn, and compensates those that fail. It knows no step. */
export const orchestrator: ServiceDefinition = {
  name: NAME,
  reads: ({ workflow }) => (workflow ? [workflow.topic] : []),
  // It leaves an order in any status, but pauses none; while the order stands, that calls for the workflow.
  publishes: (saga) => [
    ...(saga.workflow ? [saga.workflow.topic] : []),
    ...saga.statuses.filter((status) => status !== PAUSED).map((status) => saga.topicOf(status)),
    DEAD_LETTER_TOPIC,
  ],
  create(saga, ports, { declared }) {
    const party = {
      name: NAME,
      taskFor: (message: SagaMessage) =>
        orchestrationTask(saga, message, NAME, (step) => settingsOf(step, declared)),
    };
    const { workflow } = saga;
    return {
      name: NAME,
      consumers: workflow ? [{ topic: workflow.topic, process: createRunner(saga, party, ports) }] : [],
      routes: () => [],
    };
  },
};
