import type { Addition } from './shape.ts';

/**
 * What this code writes and the newest recorded release does not: each entry with the reason why the processes of that
 * release, which read it during a rollout or after a rollback, do nothing wrong with it. Once a release is recorded that
 * has it, it is no addition any more. What a step says of itself (its status, its topic, its reasons, what it learns, its
 * documents) is an addition without standing here.
 */
export const ADDITIONS: readonly Addition[] = [
  ...(
    [
      ['id', '{uuid}'],
      ['createdAt', 'Date'],
      ['kind', 'text'],
      ['path', 'text'],
      ['correction', 'object'],
      ['correction.field', 'text'],
      ['correction.by', 'integer'],
    ] as const
  ).map(([field, type]) => ({
    kind: 'repairs/{id}',
    field,
    type,
    why: 'The journal of repairs is a collection of its own: 0.3.0 does not read it, and its reset leaves it there.',
  })),
];
