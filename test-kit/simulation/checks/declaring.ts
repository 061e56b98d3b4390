import type { Hold } from '../../../saga/step/document.ts';
import { defineSaga, type Saga } from '../../../saga/step/saga.ts';
import type { Step } from '../../../saga/step/step.ts';

/** Sagas whose steps say something else about themselves than they should. */

/** The saga with steps that say something else about themselves. */
export const declaring = (saga: Saga, wrong: (step: Step) => Partial<Step>): Saga =>
  defineSaga({
    ...saga,
    steps: saga.groups.map((group) => group.map((step) => ({ ...step, ...wrong(step) }))),
  } as never);

/** A step that holds something else. */
export const holding =
  (mend: (holds: readonly Hold[]) => readonly Hold[]) =>
  ({ holds, waits }: Step): Partial<Step> => ({
    holds: (known) => mend(holds(known)),
    ...(waits && { waits: { ...waits, holds: (known) => mend(waits.holds(known)) } }),
  });
