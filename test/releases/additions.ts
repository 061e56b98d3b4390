import type { Addition } from './shape.ts';

/**
 * What this code writes and the newest recorded release does not: each entry with the reason why the processes of that
 * release, which read it during a rollout or after a rollback, do nothing wrong with it. Once a release is recorded that
 * has it, it is no addition any more. What a step says of itself (its status, its topic, its reasons, what it learns, its
 * documents) is an addition without standing here.
 */
export const ADDITIONS: readonly Addition[] = [
  ...[
    'sagas/{id}',
    ...['frontend', 'order-created', 'error', 'order-canceled'].map((topic) => `data on ${topic}`),
  ].map((kind) => ({
    kind,
    field: 'fail',
    type: 'text',
    why: 'Only an order that asks for a failure has it. A step that does not know the field keeps it, and takes the order',
  })),
  {
    kind: 'sagas/{id}',
    field: 'history[]',
    type: 'moment word word …',
    why:
      'The line of a failure names the operator behind the service. The last release takes both for the service: it moves the ' +
      'order on and cancels it as before, and shows both. Only its audit says that this is no service. That is a false alarm: ' +
      'it repairs nothing because of it, and the audit of this release says nothing. If it announces the failure again, it ' +
      'writes both into ce-source, which nothing reads',
  },
];
