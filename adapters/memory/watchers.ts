import type { Path, Watching } from '../../saga/ports/store.ts';

/** Fields by path; undefined where there is no document. */
type States = ReadonlyMap<Path, object | undefined>;

/** Those who watch the documents of the embedded store. */
export interface Watchers {
  /** A document has got these fields, or is gone. */
  changed(path: Path, fields: object | undefined): void;
  /**
   * @param first what to tell first.
   * @param concerns whether to tell this change.
   * @param tell gets each document in its newest state, once the work under way is done: a commit waits for no watcher.
   */
  add(
    first: States,
    concerns: (path: Path, fields: object | undefined) => boolean,
    tell: (states: States) => void,
  ): Watching;
}

export function createWatchers(): Watchers {
  const watchers = new Set<Watchers['changed']>();
  return {
    changed(path, fields) {
      for (const watcher of watchers) watcher(path, fields);
    },
    add(first, concerns, tell) {
      let untold = new Map(first);
      const tellAll = () => {
        const states = untold;
        untold = new Map();
        telling = undefined;
        tell(states);
      };
      let telling: NodeJS.Immediate | undefined = setImmediate(tellAll);
      const watcher: Watchers['changed'] = (path, fields) => {
        if (!concerns(path, fields)) {
          untold.delete(path);
          return;
        }
        untold.set(path, fields);
        telling ??= setImmediate(tellAll);
      };
      watchers.add(watcher);
      return {
        close() {
          watchers.delete(watcher);
          clearImmediate(telling);
        },
      };
    },
  };
}
