import type { Saga } from '../saga/step/saga.ts';
import type { ServiceFacts } from './service-facts.ts';

/** What infra/compose.yaml and the workflow that starts it say of the services. */

/** Where the first service answers on this machine; each further one is a port behind. */
const FIRST_PORT = 8080;

/** The services as containers, each as a process of its own. */
export const composeLines = (facts: Readonly<Record<string, ServiceFacts>>): string[] =>
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

/** The services that a workflow starts, and how an order ends there. */
export const workflowLines = (saga: Saga, facts: Readonly<Record<string, ServiceFacts>>): string[] => [
  `SERVICES: ${Object.keys(facts).join(' ')}`,
  `SUCCESS: ${saga.success}`,
];
