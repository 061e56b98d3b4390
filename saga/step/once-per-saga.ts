import type { Saga } from './saga.ts';

/** A function of the saga alone, which never changes: what comes of it is derived once, and kept as long as the saga. */
export function oncePerSaga<S extends Saga, T extends object>(derive: (saga: S) => T): (saga: S) => T {
  const known = new WeakMap<S, T>();
  return (saga) => {
    const value = known.get(saga) ?? derive(saga);
    known.set(saga, value);
    return value;
  };
}
