import type { Took } from '../model/order.ts';
import type { Failure, Picture, Stage, StageState } from '../model/picture.ts';
import { durationText, numberText, spoken } from '../model/words.ts';

/** The order's way through the saga: forward through its stages, and back through those that are undone. */
export function SagaPicture({ picture: { groups, failure } }: { picture: Picture }) {
  return (
    <div class="saga">
      <ol class="track" aria-label="The steps of this order">
        {groups.map((group, index) => (
          <li class={`group ${wayTo(groups[index + 1])}`} key={group.map(({ name }) => name).join()}>
            {group.map((stage) => (
              <StageCard key={stage.name} stage={stage} {...(failure && { failure })} />
            ))}
          </li>
        ))}
      </ol>
      {failure && <WayBack failure={failure} length={lengthOf(groups)} />}
    </div>
  );
}

/** How the line that leads to the next group looks. */
function wayTo(group: readonly Stage[] | undefined): string {
  if (group === undefined) return '';
  const states = group.map(({ state }) => state);
  if (states.every((state) => state === 'ahead')) return 'to-unreached';
  if (states.includes('refused')) return 'to-refused';
  return states.some((state) => state === 'undone' || state === 'undoing') ? 'to-undone' : 'to-reached';
}

/** How far the order came, and has to go back, as a part of the whole way. */
function lengthOf(groups: readonly (readonly Stage[])[]): number {
  const last = groups.findLastIndex((group) => group.some(({ state }) => state !== 'ahead'));
  return Math.max(0, last) / groups.length;
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
  waiting: 'waiting for an answer',
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
        {took.length > 0 && hasBegun(state) && (
          <ul class={`took ${isGivenBack ? 'back' : ''}`} aria-label={isGivenBack ? 'Given back' : 'Holds'}>
            {took.map((one) => (
              <li key={'path' in one ? one.path : `${one.kind} ${one.name}`}>{textOf(one)}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

/** Before that, nothing is taken; in slow motion, it is known beforehand what will be. */
const hasBegun = (state: StageState): boolean => !['ahead', 'active', 'paused'].includes(state);

/** A negative amount is given instead of taken. */
const textOf = (took: Took): string =>
  'path' in took
    ? took.kind
    : `${took.kind} ${took.name} ${took.amount < 0 ? '+' : '−'}${numberText(Math.abs(took.amount))}`;

/** What happened, and the compensation as a line that runs back. */
function WayBack({ failure, length }: { failure: Failure; length: number }) {
  const { reason, detail, by, person, undoneBy, undoneAt, tookMs, undoes } = failure;
  const isOver = undoneAt !== undefined;
  return (
    <>
      {undoes.length > 0 && (
        <div
          class={`way-line ${isOver ? 'over' : 'running'}`}
          style={{ '--length': String(length) }}
          aria-hidden="true"
        />
      )}
      <div class="way-back">
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
    </>
  );
}
