import type { Saga } from '../saga/step/saga.ts';
import type { ServiceFacts } from './service-facts.ts';

/** The services in infra/compose.yaml, and in the workflow that starts it. */

/** The port of the first service on this machine; each further service gets the next one that no emulator has. */
const FIRST_PORT = 8080;
const EMULATOR_PORTS: readonly number[] = [8085, 8086];

/** The services as containers, each as a process of its own, with the settings that it declares. */
export function composeLines(facts: ServiceFacts): string[] {
  let port = FIRST_PORT - 1;
  return Object.entries(facts).flatMap(([name, { hasOperatorRoutes, settings }]) => {
    do port++;
    while (EMULATOR_PORTS.includes(port));
    const environment = [
      ...(hasOperatorRoutes
        ? ["# The operators' routes stay closed until it is set.", `OPERATOR_TOKEN: \${OPERATOR_TOKEN:-}`]
        : []),
      ...settings.map((variable) => `${variable}: \${${variable}:-}`),
    ];
    return [
      `${name}:`,
      '  <<: *service',
      `  command: [dist/programs/service.js, ${name}]`,
      ...(environment.length > 0 ? ['  environment:', '    <<: *environment'] : []),
      ...environment.map((line) => `    ${line}`),
      `  ports: ['127.0.0.1:${port}:8080']`,
    ];
  });
}

/** The services that the workflow starts, and the status of an order that succeeds. */
export const workflowLines = (saga: Saga, facts: ServiceFacts): string[] => [
  `SERVICES: ${Object.keys(facts).join(' ')}`,
  `SUCCESS: ${saga.success}`,
];
