import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get, sentencesOf } from '../model/api.ts';
import { Notice } from './parts.tsx';

/** What was asked of the server, and what it said last. */
export interface Asked<T> {
  readonly value: T | undefined;
  readonly faults: readonly string[];
  readonly again: () => void;
}

/** Asks at once, again when the path changes, and whenever it is told to. An answer to an older question is passed over. */
export function useAsked<T>(path: string): Asked<T> {
  const [state, setState] = useState<{ path: string; value?: T; faults: readonly string[] }>({
    path,
    faults: [],
  });
  const turn = useRef(0);
  const again = useCallback(() => {
    const mine = ++turn.current;
    get<T>(path).then(
      (value) => mine === turn.current && setState({ path, value, faults: [] }),
      (error: unknown) => mine === turn.current && setState({ path, faults: sentencesOf(error) }),
    );
  }, [path]);
  useEffect(() => {
    again();
    return () => {
      turn.current++;
    };
  }, [again]);
  const isOld = state.path !== path;
  return { value: isOld ? undefined : state.value, faults: isOld ? [] : state.faults, again };
}

/** Shows an answer, or that there is none yet or none at all. */
export function Answer<T>({
  asked,
  children,
}: {
  asked: Asked<T>;
  children: (value: T) => ComponentChildren;
}) {
  if (asked.faults.length > 0) {
    return (
      <>
        <Notice kind="bad" title="This can’t be shown now" lines={asked.faults} />
        <button type="button" class="quiet" onClick={asked.again}>
          Try again
        </button>
      </>
    );
  }
  if (asked.value === undefined) return <p class="empty">Loading…</p>;
  return <>{children(asked.value)}</>;
}
