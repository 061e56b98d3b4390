import { ParentBasedSampler, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace-base';

/**
 * Which orders are traced if OTEL_TRACES_SAMPLER does not say: all of them, up to this rate. Above it the cost of tracing does
 * not grow.
 */
const TRACES_PER_SECOND = 100;

/**
 * A bucket of traces that fills evenly.
 * @param nowMs a clock that never goes back, in milliseconds.
 * @returns whether one more may begin. At most a second's share begins at once.
 */
export function createTraceBudget(
  nowMs: () => number = () => performance.now(),
  perSecond = TRACES_PER_SECOND,
): () => boolean {
  let left = perSecond;
  let filledMs = nowMs();
  return () => {
    const now = nowMs();
    left = Math.min(perSecond, left + (perSecond * (now - filledMs)) / 1000);
    filledMs = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}

/** What belongs to a trace is sampled as the trace is; a new trace needs room in the budget. */
export function createSampler(mayBegin = createTraceBudget()): Sampler {
  return new ParentBasedSampler({
    root: {
      shouldSample(_context, _traceId, _name, _kind, _attributes, links) {
        // Work for several orders at once is linked to those that are traced, and sampled with them.
        const isSampled = links.length > 0 || mayBegin();
        return { decision: isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
      },
      toString: () => `At most ${TRACES_PER_SECOND} a second`,
    },
  });
}
