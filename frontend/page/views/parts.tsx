import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { sentencesOf } from '../model/api.ts';
import { CANCELED, FAILING, PAUSED } from '../model/order.ts';
import { spoken } from '../model/words.ts';
import { definition } from './state.ts';

/** The parts that views are made of. */

/** A field with its label, and a hint below it: what ties the two to it is given to `children`. */
export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: ComponentChildren;
  children: (ties: { id: string; 'aria-describedby'?: string }) => ComponentChildren;
}) {
  const [id, hintId] = [useId(), useId()];
  const hasHint = hint !== undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(hasHint && { 'aria-describedby': hintId }) })}
      {hasHint && (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Takes a whole number of so many at least and at most. */
export function WholeNumber({
  value,
  onValue,
  min = 1,
  max,
  ...others
}: {
  value: number;
  onValue: (value: number) => void;
  min?: number;
  max?: number;
  id?: string;
  'aria-label'?: string;
  'aria-describedby'?: string;
}) {
  return (
    <input
      type="number"
      min={min}
      max={max}
      required
      value={value}
      onInput={(event) => onValue(event.currentTarget.valueAsNumber)}
      {...others}
    />
  );
}

/** The names of a table's columns. */
export const Columns = ({ names }: { names: readonly string[] }) => (
  <thead>
    <tr>
      {names.map((name) => (
        <th scope="col" key={name}>
          {name}
        </th>
      ))}
    </tr>
  </thead>
);

export function Notice({
  kind,
  title,
  lines = [],
}: {
  kind: 'good' | 'bad' | 'plain';
  title: ComponentChildren;
  lines?: readonly string[];
}) {
  return (
    <div class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <p>{title}</p>
      {lines.length > 0 && (
        <ul>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What may be wider or higher than its place. It can be scrolled by keyboard, too. */
export function Scrolls({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="scrolls" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

/** Says where nothing is. */
export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;

/** Runs what a button asks for, one at a time, and keeps what came of it: a sentence, if the work returns one. */
export function useDeed() {
  const [state, setState] = useState<{ busy: boolean; faults: readonly string[]; said?: string }>({
    busy: false,
    faults: [],
  });
  return {
    ...state,
    run(work: () => Promise<unknown>): void {
      setState({ busy: true, faults: [] });
      work().then(
        (said) => setState({ busy: false, faults: [], ...(typeof said === 'string' && { said }) }),
        (error: unknown) => setState({ busy: false, faults: sentencesOf(error) }),
      );
    },
  };
}

export type Deed = ReturnType<typeof useDeed>;

/** What came of a deed. */
export function Outcome({ deed, failed = 'That was refused' }: { deed: Deed; failed?: string }) {
  if (deed.faults.length > 0) return <Notice kind="bad" title={failed} lines={deed.faults} />;
  return deed.said === undefined ? null : <Notice kind="good" title={deed.said} />;
}

/** How a status looks: in colour, and in words for those who don't see it. */
export function Badge({ status }: { status: string }) {
  return <span class={`badge ${toneOf(status)}`}>{spoken(status)}</span>;
}

function toneOf(status: string): string {
  if (status === CANCELED) return 'undone';
  if (status === FAILING) return 'bad';
  if (status === PAUSED) return 'wait';
  if (status === definition.value?.success) return 'done';
  const isWait = definition.value?.groups.flat().some(({ waits }) => waits?.status === status);
  return isWait ? 'wait' : 'active';
}

/** Asks once more before it does something to many. */
export function Confirmed({
  label,
  work,
  deed,
}: {
  label: string;
  work: () => Promise<unknown>;
  deed: Deed;
}) {
  const [isAsked, setAsked] = useState(false);
  if (!isAsked) {
    return (
      <button type="button" disabled={deed.busy} onClick={() => setAsked(true)}>
        {label}…
      </button>
    );
  }
  return (
    <>
      <button
        type="button"
        class="primary"
        disabled={deed.busy}
        onClick={() => {
          setAsked(false);
          deed.run(work);
        }}
      >
        Yes: {label.toLowerCase()}
      </button>
      <button type="button" onClick={() => setAsked(false)}>
        Not now
      </button>
    </>
  );
}

/** As many characters as the server takes. */
const NOTE_LENGTH_MAX = 500;

/** Asks for a sentence before it does something that is recorded. */
export function WithNote({
  label,
  ask,
  deed,
  danger = false,
  required = false,
  keptWith = 'the order’s history',
  children,
}: {
  label: string;
  /** Does it, with the note. */
  ask: (note: string) => Promise<string>;
  deed: Deed;
  danger?: boolean;
  required?: boolean;
  /** Where the note can be read later. */
  keptWith?: string;
  children?: ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState('');
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), [isOpen]);
  if (!isOpen) {
    return (
      <button type="button" class={danger ? 'danger' : ''} onClick={() => setOpen(true)} disabled={deed.busy}>
        {label}…
      </button>
    );
  }
  return (
    <form
      class="with-note"
      onSubmit={(event) => {
        event.preventDefault();
        deed.run(async () => {
          const said = await ask(note.trim());
          setOpen(false);
          setNote('');
          return said;
        });
      }}
    >
      {children}
      <label for={id}>Why? This is kept with {keptWith}.</label>
      <input
        id={id}
        value={note}
        maxLength={NOTE_LENGTH_MAX}
        required={required}
        ref={input}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <div class="buttons">
        <button type="submit" class={danger ? 'danger' : 'primary'} disabled={deed.busy}>
          {label}
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          Not now
        </button>
      </div>
    </form>
  );
}
