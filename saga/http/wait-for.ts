/**
 * Waits until something happens, or until the signal says that nothing matters any more.
 * @param begin gets what to call when it has happened, and returns what calls it off.
 */
export function waitFor(signal: AbortSignal, begin: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    let callOff = () => {};
    const done = () => {
      signal.removeEventListener('abort', done);
      callOff();
      resolve();
    };
    signal.addEventListener('abort', done);
    callOff = begin(done);
    if (signal.aborted) done();
  });
}
