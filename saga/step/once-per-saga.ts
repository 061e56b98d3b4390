import type { Saga } from './saga.ts';

/** Caches a value that follows from the saga alone, for as long as the saga lives. */
export function oncePerSaga<S extends Saga, T extends object>(derive: (saga: S) => T): (saga: S) => T {
  const known = new WeakMap<S, T>();
  return (saga) => {
    const value = known.get(saga) ?? derive(saga);
    known.set(saga, value);
    return value;
  };
}
