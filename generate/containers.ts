import type { Saga } from '../saga/step/saga.ts';
import type { ServiceFacts } from './service-facts.ts';

/** The services in infra/compose.yaml, and in the workflow that starts it. */

/** The port of the first service on this machine; each further service gets the next one. */
const FIRST_PORT = 8080;

/** The services as containers, each as a process of its own. */
export const composeLines = (facts: ServiceFacts): string[] =>
  Object.entries(facts).flatMap(([name, { hasOperatorRoutes }], index) => [
    `${name}:`,
    '  <<: *service',
    `  command: [dist/programs/service.js, ${name}]`,
    ...(hasOperatorRoutes
      ? [
          '  environment:',
          '    <<: *environment',
          "    # The operators' routes stay closed until it is set.",
          `    OPERATOR_TOKEN: \${OPERATOR_TOKEN:-}`,
        ]
      : []),
    `  ports: ['127.0.0.1:${FIRST_PORT + index}:8080']`,
  ]);

/** The services that the workflow starts, and the status of an order that succeeds. */
export const workflowLines = (saga: Saga, facts: ServiceFacts): string[] => [
  `SERVICES: ${Object.keys(facts).join(' ')}`,
  `SUCCESS: ${saga.success}`,
];
