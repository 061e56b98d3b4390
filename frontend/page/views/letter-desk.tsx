import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../model/api.ts';
import {
  isMalformed,
  LETTER_STATUSES,
  type LetterOutline,
  type LetterStatus,
  type MalformedLetter,
  type Redriven,
  redrivenText,
} from '../model/letters.ts';
import { doInPortions, type Portion, withQuery } from '../model/portions.ts';
import { counted, numberText } from '../model/words.ts';
import { Answer, useAsked } from './asked.tsx';
import { LetterCard } from './letter-card.tsx';
import { Confirmed, Empty, Field, Outcome, useDeed } from './parts.tsx';

interface Reasons {
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  readonly counted: number;
  readonly complete: boolean;
}
interface Letters extends Portion {
  readonly letters: readonly (LetterOutline | MalformedLetter)[];
}

/** So many letters are listed at first, and again each time that you ask for more. */
const PAGE = '10';

/** The dead-letter desk: messages that could not be processed, by reason, and what to do with them. */
export function LetterDesk() {
  const [status, setStatus] = useState<LetterStatus>('parked');
  const [reason, setReason] = useState('');
  const deed = useDeed();
  const reasons = useAsked<Reasons>('/dead-letters/reasons');
  const wanted = status === 'parked' ? reason : '';
  const letters = useAsked<Letters>(withQuery('/dead-letters', { status, reason: wanted, limit: PAGE }));
  const look = () => {
    reasons.again();
    letters.again();
  };
  const redriveAll = async () => {
    try {
      return await doInPortions<Redriven & Portion>(
        (page) => post(withQuery('/dead-letters/redrive', { reason, page })),
        redrivenText,
      );
    } finally {
      look();
    }
  };
  return (
    <section class="card wide" aria-labelledby="desk-title">
      <h2 id="desk-title">Dead letters</h2>
      <p class="hint">
        Messages that no service could process. Mend the cause, then send them back; or discard what you will
        never need.
      </p>
      <Answer asked={reasons}>
        {(known) => <ReasonChips known={known} chosen={reason} choose={setReason} />}
      </Answer>
      <div class="filters">
        <Field label="Show letters that are">
          {(field) => (
            <select
              {...field}
              value={status}
              onChange={(event) => setStatus(event.currentTarget.value as LetterStatus)}
            >
              {LETTER_STATUSES.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
        <div class="buttons foot">
          <button type="button" onClick={look}>
            Look again
          </button>
          {status === 'parked' && reasons.value !== undefined && reasons.value.counted > 0 && (
            <Confirmed
              label={reason === '' ? 'Send all back' : 'Send all of this reason back'}
              deed={deed}
              work={redriveAll}
            />
          )}
        </div>
      </div>
      <Outcome deed={deed} />
      <Answer asked={letters}>
        {(first) => (
          <LetterList
            key={`${status} ${wanted}`}
            first={first}
            query={{ status, reason: wanted }}
            onChange={reasons.again}
          />
        )}
      </Answer>
    </section>
  );
}

/** How many letters are parked for each reason; a choice shows only those. */
function ReasonChips({
  known: { reasons, counted: total, complete },
  chosen,
  choose,
}: {
  known: Reasons;
  chosen: string;
  choose: (reason: string) => void;
}) {
  if (total === 0) return null;
  return (
    <fieldset class="chips">
      <legend class="unseen">Show parked letters by reason</legend>
      <button type="button" aria-pressed={chosen === ''} onClick={() => choose('')}>
        all parked{' '}
        <strong>
          {numberText(total)}
          {complete ? '' : '+'}
        </strong>
      </button>
      {reasons.map(({ reason, count }) => (
        <button
          type="button"
          key={reason}
          aria-pressed={chosen === reason}
          onClick={() => choose(chosen === reason ? '' : reason)}
        >
          {reason} <strong>{numberText(count)}</strong>
        </button>
      ))}
    </fieldset>
  );
}

/** A page of letters, and more of them when asked for. */
function LetterList({
  first,
  query,
  onChange,
}: {
  first: Letters;
  query: { readonly status: LetterStatus; readonly reason: string };
  /** A letter has become something else. */
  onChange: () => void;
}) {
  const deed = useDeed();
  const [portions, setPortions] = useState<readonly Letters[]>([]);
  useEffect(() => setPortions([]), [first]);
  const page = (portions.at(-1) ?? first).next_page;
  const more = async () => {
    const portion = await get<Letters>(withQuery('/dead-letters', { ...query, limit: PAGE, page }));
    setPortions([...portions, portion]);
  };
  const letters = [first, ...portions].flatMap((portion) => portion.letters);
  if (letters.length === 0) {
    return (
      <Empty>
        {query.status === 'parked'
          ? 'No letter is parked: every message could be processed.'
          : `No letter is ${query.status}.`}
      </Empty>
    );
  }
  return (
    <>
      <ul class="letters" aria-label={counted(letters.length, 'letter')}>
        {letters.map((letter) => (
          <li key={String(letter.id)}>
            {isMalformed(letter) ? (
              <Malformed letter={letter} />
            ) : (
              <LetterCard outline={letter} onChange={onChange} />
            )}
          </li>
        ))}
      </ul>
      {page !== undefined && (
        <button type="button" class="quiet" disabled={deed.busy} onClick={() => deed.run(more)}>
          Show older letters
        </button>
      )}
      <Outcome deed={deed} />
    </>
  );
}

const Malformed = ({ letter: { id, faults } }: { letter: MalformedLetter }) => (
  <p>
    Letter <code>{String(id)}</code> is malformed: {faults.join('; ')}
  </p>
);
