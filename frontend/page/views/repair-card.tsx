import { useState } from 'preact/hooks';
import { post } from '../model/api.ts';
import { type RepairReport, type RepairResult, repairedText } from '../model/repair.ts';
import { capitalized, clockText, counted } from '../model/words.ts';
import { Notice, Outcome, useDeed, WithNote } from './parts.tsx';

/** What a repair would do; then, if you want, it does it. */
export function RepairCard() {
  const deed = useDeed();
  const [found, setFound] = useState<RepairReport | undefined>(undefined);
  const look = async () => setFound(await post<RepairReport>('/repair', { apply: false }));
  const repair = async (note: string) => {
    const done = await post<RepairReport>('/repair', { apply: true, note });
    setFound(done);
    return `${repairedText(done)}.`;
  };
  return (
    <section class="card" aria-labelledby="repair-title">
      <h2 id="repair-title">Repair</h2>
      <p class="hint">
        Does what follows from the ledgers alone, and leaves the rest to you. Look first; it changes nothing.
      </p>
      <div class="buttons">
        <button type="button" class="primary" disabled={deed.busy} onClick={() => deed.run(look)}>
          What would it do?
        </button>
        {found && found.plan.actions.length > 0 && (
          <WithNote label="Do it" danger required keptWith="the log" deed={deed} ask={repair} />
        )}
      </div>
      <Outcome deed={deed} />
      {found && <Found found={found} />}
    </section>
  );
}

const SHOWN_MAX = 20;

function Found({ found: { report, repaired, plan } }: { found: RepairReport }) {
  const { actions, forPeople } = plan;
  return (
    <>
      {repaired.length === 0 && actions.length === 0 && forPeople.length === 0 && (
        <Notice kind="good" title={`There was nothing to repair at ${clockText(report.checkedAt)}.`} />
      )}
      <Lines title="It did" lines={repaired.map(resultLine)} />
      <Lines
        title="It would"
        lines={actions.map(({ sentence, effect }) => ({ sentence, more: `Then ${effect}.` }))}
      />
      <Lines
        title="Only you can"
        lines={forPeople.map(({ sentence, advice }) => ({ sentence, more: `${capitalized(advice)}.` }))}
      />
    </>
  );
}

const OUTCOMES = { done: 'Done', needless: 'No longer needed', failed: 'Failed' } as const;
const resultLine = ({ action, outcome, detail }: RepairResult) => ({
  sentence: action.sentence,
  more: `${OUTCOMES[outcome]}: ${detail ?? action.effect}`,
});

function Lines({ title, lines }: { title: string; lines: readonly { sentence: string; more: string }[] }) {
  if (lines.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="standing">
        {lines.slice(0, SHOWN_MAX).map(({ sentence, more }) => (
          <li key={sentence}>
            {sentence}
            <p class="hint">{more}</p>
          </li>
        ))}
      </ul>
      {lines.length > SHOWN_MAX && (
        <p class="hint">… and {counted(lines.length - SHOWN_MAX, 'more', 'more')}.</p>
      )}
    </>
  );
}
