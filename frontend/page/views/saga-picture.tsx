import type { Took } from '../model/order.ts';
import type { Failure, Picture, Stage, StageState } from '../model/picture.ts';
import { durationText, numberText, spoken } from '../model/words.ts';

/** The order's way through the saga: forward through its stages, and back through those that are undone. */
export function SagaPicture({ picture: { groups, failure } }: { picture: Picture }) {
  return (
    <div class={`saga ${failure ? 'failed' : ''}`}>
      <ol class="track" aria-label="The steps of this order">
        {groups.map((group) => (
          <li class={`group ${trackOf(group)}`} key={group.map(({ name }) => name).join()}>
            {group.map((stage) => (
              <StageCard key={stage.name} stage={stage} {...(failure && { failure })} />
            ))}
          </li>
        ))}
      </ol>
      {failure && <WayBack failure={failure} />}
    </div>
  );
}

/** How the line that leads to a group looks. */
function trackOf(group: readonly Stage[]): string {
  const states = group.map(({ state }) => state);
  if (states.every((state) => state === 'ahead')) return 'unreached';
  if (states.some((state) => state === 'undone' || state === 'undoing')) return 'returned';
  return states.includes('refused') ? 'broken' : 'reached';
}

/** Signs as lines, because no font has them all. */
const SIGNS: Partial<Record<StageState, string>> = {
  waiting: 'M8 4v4l3 2',
  paused: 'M6 4v8M10 4v8',
  done: 'm3.5 8.5 3 3 6-7',
  skipped: 'M3 10c2-5 7-5 9 0M12 6v4H8',
  refused: 'm4 4 8 8M12 4l-8 8',
  undoing: 'M6 4 3 7l3 3M3 7h6a3 3 0 0 1 0 6H7',
  undone: 'M6 4 3 7l3 3M3 7h6a3 3 0 0 1 0 6H7',
};

const STATES: Record<StageState, string> = {
  ahead: 'not begun',
  active: 'working',
  waiting: 'waits for a word',
  paused: 'paused',
  done: 'done',
  skipped: 'skipped by hand',
  refused: 'refused',
  undoing: 'being undone',
  undone: 'undone',
};

function StageCard({ stage, failure }: { stage: Stage; failure?: Failure }) {
  const { name, status, state, says, afterMs, took } = stage;
  const isGivenBack = state === 'undone';
  return (
    <div class={`stage ${state}`}>
      <span class="node">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d={SIGNS[state]} />
        </svg>
      </span>
      <div class="about">
        <p class="name">{name}</p>
        <p class="state">
          {STATES[state]}
          {afterMs !== undefined && state !== 'ahead' && <span class="time"> +{durationText(afterMs)}</span>}
        </p>
        <p class="says" title={status}>
          {state === 'refused' && failure ? spoken(failure.reason) : says}
        </p>
        {took.length > 0 && state !== 'ahead' && (
          <ul class={`took ${isGivenBack ? 'back' : ''}`} aria-label={isGivenBack ? 'Given back' : 'Holds'}>
            {took.filter(isSomething).map((one) => (
              <li key={`${one.kind} ${one.name ?? one.path}`}>{textOf(one)}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

/** An order of a customer without a limit takes nothing of their credit. */
const isSomething = ({ amount }: Took): boolean => amount !== 0;

/** A negative amount is given instead of taken. */
const textOf = ({ kind, name, amount }: Took): string =>
  amount === undefined ? kind : `${amount < 0 ? '+' : '−'}${numberText(Math.abs(amount))} ${kind} ${name}`;

/** What happened, and the compensation as a line that runs back. */
function WayBack({ failure }: { failure: Failure }) {
  const { reason, detail, by, person, undoneBy, undoneAt, tookMs, undoes } = failure;
  const isOver = undoneAt !== undefined;
  return (
    <div class={`way-back ${isOver ? 'over' : 'running'}`}>
      <div class="line" aria-hidden="true" />
      <p class="why">
        <strong>{spoken(reason)}</strong>
        {` at ${by}${person ? `, by ${person}` : ''}. `}
        {detail}
      </p>
      <p class="undo">
        {undoes.length === 0
          ? 'Nothing had been taken, so there is nothing to give back.'
          : isOver
            ? `${undoneBy} gave everything back in one commit, in ${durationText(tookMs ?? 0)}: ${undoes.join(' ← ')}`
            : `${undoneBy} gives back: ${undoes.join(' ← ')}`}
      </p>
    </div>
  );
}
