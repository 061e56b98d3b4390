import type { Deed, Subject } from '../subject.ts';
import type { People } from './people.ts';

/** What people may do at any moment besides ordering: what the subject says, and what the janitor lets operators do. */
export const deedsOf = ({ deeds }: Subject): Readonly<Record<string, Deed>> => ({ ...atTheDesk, ...deeds });

/** In a saga whose services don't answer that, nothing comes of it. */
const atTheDesk: Readonly<Record<string, Deed>> = {
  redrive(people, _order, chance) {
    const id = aLetter(people, chance);
    if (id !== undefined) people.ask('/dead-letters/{id}/redrive', { id }, {});
  },
  'redrive all': (people) => people.ask('/dead-letters/redrive', {}, { query: {} }),
  discard(people, _order, chance) {
    const id = aLetter(people, chance);
    if (id !== undefined) people.ask('/dead-letters/{id}', { id }, { method: 'DELETE', query: {} });
  },
  announce(people, uuid) {
    if (uuid !== undefined) people.ask('/sagas/{uuid}/announce', { uuid }, {});
  },
  cancel(people, uuid) {
    if (uuid !== undefined) people.askToCancel(uuid);
  },
  pause(people, uuid) {
    if (uuid !== undefined) people.steer(uuid, 'pause');
  },
  resume(people, uuid) {
    if (uuid !== undefined) people.steer(uuid, 'resume');
  },
};

/** Where dead letters are. */
export const LETTERS = 'dead-letters/';

/** The id of a dead letter, whatever became of it. */
function aLetter({ world }: People, chance: () => number): string | undefined {
  const ids = [...world.documents.keys()].filter((path) => path.startsWith(LETTERS));
  return ids[Math.floor(chance() * ids.length)]?.slice(LETTERS.length);
}
