import type { Pull } from '../model/plug.ts';
import { clockText } from '../model/words.ts';
import { Empty } from './parts.tsx';
import { pulls } from './pulls.ts';

const KINDS: Record<Pull['kind'], string> = {
  pulled: 'Pulled',
  swept: 'Sweep',
  back: 'Back',
  audited: 'Audit',
};

/** What was pulled when, and what came of it. */
export function PullLog() {
  if (pulls.value.length === 0)
    return <Empty>Nothing yet. What you break stands here, and what came of it.</Empty>;
  return (
    <ol class="standing" aria-labelledby="log-title">
      {pulls.value.map(({ at, kind, what }, index) => (
        <li key={pulls.value.length - index} class="entry">
          <span class="hint">{clockText(at, true)}</span> <span class="name">{KINDS[kind]}</span> {what}
        </li>
      ))}
    </ol>
  );
}
