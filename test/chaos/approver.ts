import type { Customers } from './customers.ts';
import { send } from './customers.ts';
import { decisionOn, type Line, type Word } from './orders.ts';

/** Decides on every order that waits for people, as its uuid says: twice, late, and now and then two things at once. */
export interface Approver {
  /** What was said to each order, whatever the answer. */
  readonly said: ReadonlyMap<string, readonly Word[]>;
  /** What each order heeded, according to the answer. */
  readonly heeded: ReadonlyMap<string, readonly Word[]>;
  /** Answers that nobody must get. */
  readonly complaints: readonly string[];
  /** Is told of an order that waits, and what it holds. Says the word at once; never rejects. */
  decide(uuid: string, offered: readonly Line[]): Promise<void>;
  /** Is told that an order has come to its end, and says what it should have said before. */
  isOver(uuid: string): void;
  /** Resolves when every word so far has its answer. */
  isDone(): Promise<void>;
}

export function openApprover(url: string, customers: Customers): Approver {
  const said = new Map<string, Word[]>();
  const heeded = new Map<string, Word[]>();
  const complaints: string[] = [];
  let underWay: Promise<unknown>[] = [];

  async function say(uuid: string, word: Word): Promise<void> {
    note(said, uuid, word);
    const { word: name, ...carried } = word;
    const { status, body } = await send(`${url}/order/${uuid}/${name}`, carried);
    if (status === 202) note(heeded, uuid, word);
    // 409: it does not wait, or heard something else. An answer that got lost says nothing.
    else if (![409, 503, 0].includes(status))
      complaints.push(`${name} was answered with ${status}: ${JSON.stringify(body)}`);
  }

  async function decide(uuid: string, offered: readonly Line[]): Promise<void> {
    const approval: Word = { word: 'approve' };
    const amendment: Word = { word: 'amend', items: lessOf(offered) };
    switch (decisionOn(uuid)) {
      case 'approve':
        await Promise.all([say(uuid, approval), say(uuid, approval)]);
        return;
      case 'amend':
        await Promise.all([say(uuid, amendment), say(uuid, amendment)]);
        return;
      case 'contradict':
        await Promise.all([say(uuid, approval), say(uuid, amendment)]);
        return;
      case 'cancel':
        await customers.cancel(uuid);
        return;
      case 'silence':
    }
  }

  const noting = (work: Promise<unknown>) => {
    underWay.push(work);
    return work;
  };
  return {
    said,
    heeded,
    complaints,
    async decide(uuid, offered) {
      await noting(decide(uuid, offered));
    },
    isOver(uuid) {
      if (decisionOn(uuid) !== 'silence') void noting(say(uuid, { word: 'approve' }));
    },
    async isDone() {
      const all = underWay;
      underWay = [];
      await Promise.all(all);
    },
  };
}

/** The amendment: without the last line, or half of the only one. */
const lessOf = (offered: readonly Line[]): Line[] =>
  offered.slice(0, Math.max(1, offered.length - 1)).map(({ item, quantity }) => ({
    item,
    quantity: offered.length > 1 ? quantity : Math.ceil(quantity / 2),
  }));

function note(words: Map<string, Word[]>, uuid: string, word: Word): void {
  words.set(uuid, [...(words.get(uuid) ?? []), word]);
}
