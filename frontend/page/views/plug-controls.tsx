import { useState } from 'preact/hooks';
import { post, Refusal } from '../model/api.ts';
import {
  CUTTABLE,
  type Plug,
  SECONDS_DEFAULT,
  SECONDS_MAX,
  SECONDS_MIN,
  type ServiceState,
  secondsLeft,
} from '../model/plug.ts';
import { capitalized, counted } from '../model/words.ts';
import { Field, Outcome, useDeed, WholeNumber } from './parts.tsx';
import { note } from './pulls.ts';

/** The buttons that break something. */
export function PlugControls({
  plug,
  nowMs,
  isAway,
  onPull,
}: {
  plug: Plug;
  nowMs: number;
  isAway: boolean;
  onPull: () => void;
}) {
  const { separate, services, cut, recorded } = plug;
  const [seconds, setSeconds] = useState(SECONDS_DEFAULT);
  const deed = useDeed();
  const areSecondsRight = Number.isInteger(seconds) && seconds >= SECONDS_MIN && seconds <= SECONDS_MAX;

  const pull = (how: string, body?: object) =>
    deed.run(async () => {
      try {
        const { done } = await post<{ done: string }>(`/plug/${how}`, body);
        note('pulled', capitalized(done));
      } catch (error) {
        // Whoever kills the process that answers may get no answer.
        if (how !== 'crash' || !(error instanceof Refusal) || error.status !== 0) throw error;
        note('pulled', 'Killed the process; it could not even answer');
      } finally {
        onPull();
      }
    });
  const isBusy = deed.busy || isAway;
  const isTimely = !isBusy && areSecondsRight;

  return (
    <>
      <Field label="Freeze or cut off for how many seconds?" hint={`From ${SECONDS_MIN} to ${SECONDS_MAX}.`}>
        {(field) => (
          <WholeNumber {...field} min={SECONDS_MIN} max={SECONDS_MAX} value={seconds} onValue={setSeconds} />
        )}
      </Field>
      <h3>Services</h3>
      <ul class="switches">
        {services.map(({ name, state }) => (
          <li key={name}>
            <span class="name">{name}</span> <ServiceBadge state={state} />
            <span class="buttons">
              <button
                type="button"
                aria-label={`Freeze ${name}`}
                disabled={!isTimely}
                onClick={() => pull('freeze', { service: name, seconds })}
              >
                Freeze
              </button>
              {separate && (
                <button
                  type="button"
                  class="danger"
                  aria-label={`Crash ${name}`}
                  disabled={isBusy}
                  onClick={() => pull('crash', { service: name })}
                >
                  Crash
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {!separate && (
        <>
          <div class="buttons">
            <button
              type="button"
              class="danger"
              disabled={isBusy}
              onClick={() => pull('crash', { service: services[0]?.name })}
            >
              Crash them all
            </button>
          </div>
          <p class="hint">
            They share one process, which also serves this page. It is started again at once.
          </p>
        </>
      )}
      <h3>Store and broker</h3>
      <ul class="switches">
        {CUTTABLE.map((what) => (
          <li key={what}>
            <span class="name">{what}</span> <CutBadge left={secondsLeft(cut[what], nowMs)} />
            <span class="buttons">
              <button
                type="button"
                class="danger"
                aria-label={`Cut off the ${what}`}
                disabled={!isTimely}
                onClick={() => pull('cut', { what, seconds })}
              >
                Cut off
              </button>
            </span>
          </li>
        ))}
      </ul>
      <h3>Messages</h3>
      <div class="buttons">
        <button type="button" disabled={isBusy} onClick={() => pull('duplicate')}>
          Duplicate the last
        </button>
        <button type="button" disabled={isBusy} onClick={() => pull('replay')}>
          Replay all since the start
        </button>
      </div>
      <p class="hint">{counted(recorded, 'message')} recorded.</p>
      <Outcome deed={deed} />
    </>
  );
}

/** Only what is out of order stands out. */
const ServiceBadge = ({ state }: { state: ServiceState }) =>
  state === 'running' ? (
    <span class="hint">running</span>
  ) : (
    <span class={`badge ${state === 'frozen' ? 'wait' : 'active'}`}>{state}</span>
  );

const CutBadge = ({ left }: { left: number }) =>
  left === 0 ? <span class="hint">reachable</span> : <span class="badge bad">cut off for {left} s</span>;
