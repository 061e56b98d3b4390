/** Sends orders at a steady rate for a while: no more than a browser and a laptop can bear. */
export const PER_SECOND_MAX = 200;
export const SECONDS_MAX = 60;
/** Orders that are due and have no answer yet. Above that, orders are left out, because the server is at its limit. */
const UNDER_WAY_MAX = 50;
/** So many are sent at once. They are short, so what a person does waits no longer than one of them takes. */
const SENT_AT_ONCE_MAX = 4;
const TICK_MS = 50;

export interface LoadReport {
  readonly sent: number;
  readonly accepted: number;
  readonly failed: number;
  readonly leftOut: number;
}

/**
 * @param send sends one order, and rejects if it was not accepted.
 * @returns what ends it early.
 */
export function sendLoad(
  { perSecond, seconds }: { perSecond: number; seconds: number },
  send: () => Promise<unknown>,
  onReport: (report: LoadReport, isOver: boolean) => void,
): () => void {
  const rate = Math.min(Math.max(perSecond, 1), PER_SECOND_MAX);
  const total = rate * Math.min(Math.max(seconds, 1), SECONDS_MAX);
  const startMs = performance.now();
  let [due, waiting, sent, accepted, failed, leftOut] = [0, 0, 0, 0, 0, 0];
  const isOver = () => due >= total && waiting === 0 && accepted + failed === sent;
  const report = () => onReport({ sent, accepted, failed, leftOut }, isOver());

  function sendWaiting(): void {
    for (; waiting > 0 && sent - accepted - failed < SENT_AT_ONCE_MAX; waiting--) {
      sent++;
      void send()
        .then(
          () => {
            accepted++;
          },
          () => {
            failed++;
          },
        )
        .then(sendWaiting);
    }
  }

  const timer = setInterval(() => {
    const wanted = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * rate));
    for (; due < wanted; due++) {
      if (waiting + sent - accepted - failed < UNDER_WAY_MAX) waiting++;
      else leftOut++;
    }
    sendWaiting();
    report();
    if (isOver()) clearInterval(timer);
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    waiting = 0;
    onReport({ sent, accepted, failed, leftOut }, true);
  };
}
