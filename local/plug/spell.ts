import type { Clock } from '../../saga/ports/clock.ts';

/** Something that lasts for some seconds and then ends by itself. */
export interface Spell {
  /** When it ends; undefined if it is over. */
  until(): Date | undefined;
  /** Begins it; if it lasts already, it now ends so many seconds from now. */
  begin(seconds: number): void;
  /** Ends it now. */
  end(): void;
}

export function createSpell(clock: Clock, onBegin: () => void, onEnd: () => void): Spell {
  let current: { readonly until: Date; readonly callOff: () => void } | undefined;
  function end(): void {
    if (current === undefined) return;
    current.callOff();
    current = undefined;
    onEnd();
  }
  return {
    until: () => current?.until,
    begin(seconds) {
      const isNew = current === undefined;
      current?.callOff();
      const until = new Date(clock.now().getTime() + seconds * 1000);
      current = { until, callOff: clock.after(seconds * 1000, end) };
      if (isNew) onBegin();
    },
    end,
  };
}
