import { expect } from 'chai';
import { waitFor } from './wait-for.ts';

/** A wait for something that happens when the spec says so. `calledOff` counts how often nothing more is to be waited for. */
function scene(signal: AbortSignal) {
  const seen = { calledOff: 0, ended: false };
  let happen = (): void => {};
  const waiting = waitFor(signal, (done) => {
    happen = done;
    return () => {
      seen.calledOff++;
    };
  }).then(() => {
    seen.ended = true;
  });
  return { seen, waiting, happen: () => happen() };
}

describe('A wait', () => {
  it('ends once it has happened, and hears nothing of what is aborted later', async () => {
    const leaving = new AbortController();
    const { seen, waiting, happen } = scene(leaving.signal);
    await Promise.resolve();
    expect(seen).to.deep.equal({ calledOff: 0, ended: false });
    happen();
    await waiting;
    leaving.abort();
    expect(seen).to.deep.equal({ calledOff: 1, ended: true });
  });

  it('ends at once when it is aborted, and does not begin if it was aborted before', async () => {
    const leaving = new AbortController();
    const { seen, waiting } = scene(leaving.signal);
    leaving.abort();
    await waiting;
    expect(seen).to.deep.equal({ calledOff: 1, ended: true });
    const late = scene(leaving.signal);
    await late.waiting;
    expect(late.seen).to.deep.equal({ calledOff: 1, ended: true });
  });
});
