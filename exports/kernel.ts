/** `order-saga`: everything to define a saga of your own and make its services. */

export { collectionsOf, loadData, parseData, resetData } from '../data-init/load-data.ts';
export { audit } from '../janitor/audit/audit.ts';
export { executeRepair, planRepair } from '../janitor/audit/repair.ts';
export { takeAudit } from '../janitor/audit/take-audit.ts';
export { janitor } from '../janitor/service.ts';
export { notifier } from '../notifier/service.ts';
export { orchestrator } from '../orchestrator/service.ts';
export { messageFor, snapshot } from '../saga/deliver/message.ts';
export {
  allServices,
  type Service,
  type ServiceDefinition,
  type ServiceSettings,
  serviceNames,
  serviceOf,
} from '../saga/deliver/service.ts';
export { declareTopology, type Topology, topologyOf } from '../saga/deliver/topology.ts';
export { takeTurns } from '../saga/deliver/turns.ts';
export {
  type HttpRequest,
  type HttpResponse,
  notFound,
  Problem,
  type Route,
  route,
} from '../saga/http/http.ts';
export { type InputFault, inputFaults } from '../saga/input/input-faults.ts';
export { isName, nameSchema } from '../saga/input/name.ts';
export { type Transition, transitionsOf } from '../saga/ledger/history.ts';
export { CANCELED, FAILING, type Ledger, ledgerPath, RECEIVED } from '../saga/ledger/ledger.ts';
export { type ReadLedger, readLedger } from '../saga/ledger/read-ledger.ts';
export type { Bus, Delivery, OutgoingMessage } from '../saga/ports/bus.ts';
export type { Clock } from '../saga/ports/clock.ts';
export type { Log } from '../saga/ports/log.ts';
export type { Ports } from '../saga/ports/ports.ts';
export { readOne, type Store, StoreError } from '../saga/ports/store.ts';
export { cancelTask } from '../saga/steer/cancel.ts';
export { account, counter, document, record } from '../saga/step/document.ts';
export { holdsOf } from '../saga/step/holds.ts';
export { receiveTask } from '../saga/step/receive.ts';
export {
  defineSaga,
  type LedgerOf,
  type OrderKind,
  type ParsedOrder,
  type ReasonOf,
  type Saga,
  type StatusOf,
  type TopicOf,
} from '../saga/step/saga.ts';
export { share, wholeNumber } from '../saga/step/settings.ts';
export { accept, refuse, type Step, stepsFor, wait } from '../saga/step/step.ts';
