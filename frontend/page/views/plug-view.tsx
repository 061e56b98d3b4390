import { useEffect, useRef, useState } from 'preact/hooks';
import { get, Refusal, sentencesOf } from '../model/api.ts';
import { isBroken, type Plug } from '../model/plug.ts';
import { durationText } from '../model/words.ts';
import { Aftermath } from './aftermath.tsx';
import { OperatorsOnly } from './operators-only.tsx';
import { Notice } from './parts.tsx';
import { PlugControls } from './plug-controls.tsx';
import { PullLog } from './pull-log.tsx';
import { note } from './pulls.ts';

/** Break the stack on purpose, and see that no order is lost. */
export function PlugView() {
  return (
    <OperatorsOnly path="/plug">
      <Pulling />
    </OperatorsOnly>
  );
}

function Pulling() {
  const { plug, faults, isAway, nowMs, look } = usePlug();
  return (
    <div class="tiles">
      <div class="wide">
        <h1>Pull the plug</h1>
        <p class="hint">
          Send orders, break something while they are on their way, and see that each still comes to its end
          and that nothing is lost.
        </p>
      </div>
      <section class="card" aria-labelledby="break-title">
        <h2 id="break-title">Break something</h2>
        {isAway && (
          <Notice kind="plain" title="The server is away. The page reconnects by itself and goes on." />
        )}
        {plug && <PlugControls plug={plug} nowMs={nowMs} isAway={isAway} onPull={look} />}
        {!plug && faults.length === 0 && <p class="empty">Loading…</p>}
        {!plug && faults.length > 0 && <Notice kind="bad" title="This can’t be shown now" lines={faults} />}
      </section>
      <div class="tiles-column">
        <section class="card" aria-labelledby="aftermath-title">
          <h2 id="aftermath-title">What happens</h2>
          <Aftermath isBroken={isAway || (plug !== undefined && isBroken(plug, nowMs))} />
        </section>
        <section class="card" aria-labelledby="log-title">
          <h2 id="log-title">What you pulled</h2>
          <PullLog />
        </section>
      </div>
    </div>
  );
}

/** How often to look while something is broken, and while nothing is. */
const [BROKEN_MS, WHOLE_MS] = [500, 3_000];

/** Looks at the plug again and again, whether or not the server answers, and keeps the time for the countdowns. */
function usePlug() {
  const [plug, setPlug] = useState<Plug | undefined>(undefined);
  const [faults, setFaults] = useState<readonly string[]>([]);
  const [nowMs, setNow] = useState(Date.now);
  const look = useRef(() => {});
  useEffect(() => {
    let isWanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let awaySinceMs: number | undefined;
    let turn = 0;
    const lookNow = async () => {
      clearTimeout(timer);
      const mine = ++turn;
      let again = BROKEN_MS;
      try {
        const seen = await get<Plug>('/plug');
        if (!isWanted || mine !== turn) return;
        if (awaySinceMs !== undefined)
          note('back', `The server answers again, after ${durationText(Date.now() - awaySinceMs)}`);
        awaySinceMs = undefined;
        if (!isBroken(seen, Date.now())) again = WHOLE_MS;
        setPlug(seen);
        setFaults([]);
      } catch (error) {
        if (!isWanted || mine !== turn) return;
        // Any other refusal is an answer.
        if (!(error instanceof Refusal) || error.status === 0 || error.status >= 500)
          awaySinceMs ??= Date.now();
        else again = WHOLE_MS;
        setFaults(sentencesOf(error));
      }
      setNow(Date.now());
      timer = setTimeout(lookNow, again);
    };
    look.current = () => void lookNow();
    void lookNow();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, []);
  return { plug, faults, isAway: plug !== undefined && faults.length > 0, nowMs, look: () => look.current() };
}
