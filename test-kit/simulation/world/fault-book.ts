import type { Fault, FaultKind } from '../plan.ts';

type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

/** The faults of a plan that strike at the nth effect of a process or the nth message of a subscription. */
export class FaultBook {
  readonly #faults = new Map<string, Fault>();
  readonly #counts = new Map<string, number>();

  constructor(faults: readonly Fault[]) {
    for (const fault of faults) {
      if (!('nth' in fault)) continue;
      if ('process' in fault) this.#faults.set(`${fault.kind}/${fault.process}/${fault.nth}`, fault);
      if ('subscription' in fault)
        this.#faults.set(`${fault.kind}/${fault.subscription}/${fault.nth}`, fault);
    }
  }

  /** Counts one more effect of this kind there. @returns the fault that the plan holds for it. */
  next<K extends FaultKind>(kind: K, place: string): FaultOf<K> | undefined {
    const nth = (this.#counts.get(`${kind}/${place}`) ?? 0) + 1;
    this.#counts.set(`${kind}/${place}`, nth);
    return this.#faults.get(`${kind}/${place}/${nth}`) as FaultOf<K> | undefined;
  }

  /** How far each fault is from striking, as text: what a state of the world has left of them. */
  get left(): string {
    return [...this.#faults.keys()]
      .map((key) => {
        const place = key.slice(0, key.lastIndexOf('/'));
        return Math.max(0, Number(key.slice(place.length + 1)) - (this.#counts.get(place) ?? 0));
      })
      .join();
  }
}
