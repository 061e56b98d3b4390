import { post } from '../model/api.ts';
import { type Swept, sweptText } from '../model/steering.ts';
import { Outcome, useDeed } from './parts.tsx';

/** Moves on the orders that stand still, without waiting for the next sweep. @param onSwept is told what it did. */
export function SweepButton({ onSwept = () => {} }: { onSwept?: (said: string) => void }) {
  const deed = useDeed();
  const sweep = async () => {
    const said = sweptText(await post<Swept>('/sweep'));
    onSwept(said);
    return `${said}.`;
  };
  return (
    <>
      <button type="button" disabled={deed.busy} onClick={() => deed.run(sweep)}>
        {deed.busy ? 'Sweeping…' : 'Sweep now'}
      </button>
      <Outcome deed={deed} failed="The sweep could not be made" />
    </>
  );
}
