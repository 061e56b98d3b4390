import { signal } from '@preact/signals';
import { type Pull, withPull } from '../model/plug.ts';

/** What was pulled, and what came of it. It outlasts a look at another view. */
export const pulls = signal<readonly Pull[]>([]);

export function note(kind: Pull['kind'], what: string): void {
  pulls.value = withPull(pulls.value, { at: new Date().toISOString(), kind, what });
}
