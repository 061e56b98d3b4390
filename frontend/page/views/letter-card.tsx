import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask, post } from '../model/api.ts';
import {
  bodyText,
  isMalformed,
  type Letter,
  type LetterOutline,
  type MalformedLetter,
} from '../model/letters.ts';
import { withQuery } from '../model/portions.ts';
import { clockText, counted, numberText, shortId } from '../model/words.ts';
import { Answer, useAsked } from './asked.tsx';
import { Notice, Outcome, useDeed, WithNote } from './parts.tsx';

/** A letter in the list. Opened, it shows the message as it came, and what can be done with it. */
export function LetterCard({ outline, onChange }: { outline: LetterOutline; onChange: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const { id, reason, topic, subscription, attempts, createdAt } = outline;
  return (
    <details class="letter" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="name">{reason}</span>{' '}
        <span>
          {clockText(createdAt)} · {topic ?? subscription} · {counted(attempts, 'attempt')}
        </span>
      </summary>
      {isOpen && <WholeLetter id={id} onChange={onChange} />}
    </details>
  );
}

function WholeLetter({ id, onChange }: { id: string; onChange: () => void }) {
  const asked = useAsked<Letter | MalformedLetter>(`/dead-letters/${id}`);
  const deed = useDeed();
  const redrive = async () => {
    await post(`/dead-letters/${id}/redrive`);
    asked.again();
    onChange();
    return 'It was sent back to its topic.';
  };
  const discard = async (note: string) => {
    await ask('DELETE', withQuery(`/dead-letters/${id}`, { note }));
    asked.again();
    onChange();
    return 'It is discarded. The letter stays, with your note.';
  };
  return (
    <Answer asked={asked}>
      {(letter) =>
        isMalformed(letter) ? (
          <Notice
            kind="bad"
            title="This letter was edited by hand and can’t be right"
            lines={letter.faults}
          />
        ) : (
          <div class="letter-body">
            <Facts letter={letter} />
            <Body letter={letter} />
            <ul class="hint" aria-label="What happened to this letter">
              {letter.history.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            {letter.status === 'parked' && (
              <div class="buttons">
                <button type="button" class="primary" disabled={deed.busy} onClick={() => deed.run(redrive)}>
                  Send it back
                </button>
                <WithNote
                  label="Discard"
                  danger
                  required
                  keptWith="the letter’s history"
                  deed={deed}
                  ask={discard}
                />
              </div>
            )}
            <Outcome deed={deed} />
          </div>
        )
      }
    </Answer>
  );
}

const ROWS_MAX = 16;

function Body({ letter }: { letter: Letter }) {
  const text = bodyText(letter);
  return (
    <>
      <textarea
        readOnly
        rows={Math.min(ROWS_MAX, text.split('\n').length + 1)}
        aria-label="The body of the message"
        value={text}
      />
      <p class="hint">
        {letter.encoding === 'base64' && 'Not text, so shown in base64. '}
        {numberText(letter.bodyBytes)} bytes.
      </p>
    </>
  );
}

function Facts({ letter }: { letter: Letter }) {
  const { uuid, topic, subscription, messageId, redriveOf, attributes } = letter;
  return (
    <dl class="facts">
      {uuid !== undefined && (
        <Fact name="Order">
          <a href={`#/order/${uuid}`}>{shortId(uuid)}</a>
        </Fact>
      )}
      <Fact name="Subscription">{subscription}</Fact>
      {topic !== undefined && <Fact name="Topic">{topic}</Fact>}
      {messageId !== undefined && <Fact name="Message">{messageId}</Fact>}
      {redriveOf !== undefined && <Fact name="Sent back before as">{redriveOf}</Fact>}
      {Object.entries(attributes).map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </dl>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
