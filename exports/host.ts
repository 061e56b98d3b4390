/** `order-saga/host`: runs services in a process, with configuration, HTTP and an orderly end. */

export { createLog } from '../adapters/log.ts';
export { startLocally } from '../local/start-locally.ts';
export { type Config, readConfig } from '../programs/config.ts';
export { type Host, hostServices, runService } from '../programs/host.ts';
export { openPorts } from '../programs/open-ports.ts';
export { runProcess } from '../programs/run-process.ts';
