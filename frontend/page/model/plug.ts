/** What is broken on purpose, as `GET /plug` answers it. Only a stack on this machine has a plug. */
export interface Plug {
  /** Whether each service is a process of its own. */
  readonly separate: boolean;
  readonly services: readonly { readonly name: string; readonly state: ServiceState }[];
  /** Until when the services don't reach it; null if they do. */
  readonly cut: Readonly<Record<Cuttable, string | null>>;
  /** How many messages can be published again. */
  readonly recorded: number;
}

export type ServiceState = 'running' | 'starting' | 'frozen';
export type Cuttable = 'store' | 'broker';
export const CUTTABLE: readonly Cuttable[] = ['store', 'broker'];

export const [SECONDS_MIN, SECONDS_DEFAULT, SECONDS_MAX] = [1, 5, 60];

/** How many whole seconds are left; 0 once it is over. */
export const secondsLeft = (until: string | null, nowMs: number): number =>
  until === null ? 0 : Math.max(0, Math.ceil((Date.parse(until) - nowMs) / 1000));

/** Whether anything is broken at this moment. */
export const isBroken = ({ services, cut }: Plug, nowMs: number): boolean =>
  services.some(({ state }) => state !== 'running') ||
  Object.values(cut).some((until) => secondsLeft(until, nowMs) > 0);

/** One line of what was done and what came of it. */
export interface Pull {
  readonly at: string;
  readonly kind: 'pulled' | 'swept' | 'back' | 'audited';
  readonly what: string;
}

export const PULLS_MAX = 50;

/** The newest first; the oldest of very many are left out. */
export const withPull = (log: readonly Pull[], pull: Pull): readonly Pull[] =>
  [pull, ...log].slice(0, PULLS_MAX);

/** Whether there was a pull that no audit has followed. */
export function owesAudit(log: readonly Pull[]): boolean {
  const newest = log.find(({ kind }) => kind === 'pulled' || kind === 'audited');
  return newest?.kind === 'pulled';
}
