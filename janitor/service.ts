import { createRunner } from '../saga/deliver/runner.ts';
import type { ServiceDefinition } from '../saga/deliver/service.ts';
import { topologyOf, wordTopics } from '../saga/deliver/topology.ts';
import { compensationTask } from '../saga/step/compensate.ts';
import { DEAD_LETTER_TOPIC } from '../saga/step/saga.ts';
import { auditRoutes } from './audit/audit-routes.ts';
import { eraseFromRepairs } from './audit/erase-repairs.ts';
import { repairRoutes } from './audit/repair-route.ts';
import { deskRoutes } from './desk/desk-routes.ts';
import { eraseFromLetters } from './desk/erase-letters.ts';
import { createParking } from './desk/park-messages.ts';
import { sagaRoutes } from './one-order/saga-routes.ts';
import { steerRoutes } from './one-order/steer-routes.ts';
import { createPatrol } from './sweep/patrol.ts';
import { sweep } from './sweep/sweep.ts';
import { sweepRoutes } from './sweep/sweep-routes.ts';

/** Compensates, moves orders on that stand still, keeps what can't be processed, and answers operators. It knows no step. */
export const janitor: ServiceDefinition = {
  name: 'janitor',
  reads: ({ failure }) => [failure.topic, DEAD_LETTER_TOPIC],
  // It announces any status again, and sends dead letters back to their topics.
  publishes: (saga) => [
    ...saga.statuses.map((status) => saga.topicOf(status)),
    ...wordTopics(saga).map(({ topic }) => topic),
    ...(saga.workflow ? [saga.workflow.topic] : []),
    DEAD_LETTER_TOPIC,
  ],
  create(saga, ports, { sweepIntervalSeconds, deadlineSeconds }) {
    const patrol = createPatrol(saga, ports, sweepIntervalSeconds);
    const compensation = {
      name: 'janitor',
      taskFor: (message: Parameters<typeof compensationTask>[1]) =>
        compensationTask(saga, message, 'janitor', deadlineSeconds),
    };
    return {
      name: 'janitor',
      consumers: [
        { topic: saga.failure.topic, process: createRunner(saga, compensation, ports) },
        { topic: DEAD_LETTER_TOPIC, process: createParking(saga, ports, topologyOf(saga)) },
      ],
      routes: () => [
        ...deskRoutes(saga, ports),
        ...sagaRoutes(saga, ports),
        ...steerRoutes(saga, ports),
        ...sweepRoutes(() => sweep(saga, ports), ports.log),
        ...auditRoutes(saga, ports),
        ...repairRoutes(saga, ports),
      ],
      start: patrol.start,
      drain: patrol.stop,
    };
  },
  async erase(saga, ports, who) {
    await eraseFromRepairs(ports, who.customer);
    return eraseFromLetters(saga, ports, who);
  },
};
