import { ParentBasedSampler, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace-base';

/**
 * Which orders are traced, where OTEL_TRACES_SAMPLER does not say it: every one, as long as they are few enough to be looked
 * at. Under load, the cost of tracing stays what it is at this rate.
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

/** What belongs to a trace follows it; what begins one asks for the budget. */
export function createSampler(mayBegin = createTraceBudget()): Sampler {
  return new ParentBasedSampler({
    root: {
      shouldSample(_context, _traceId, _name, _kind, _attributes, links) {
        // What is done for several orders at once is linked to those that are traced, and seen with them.
        const isSampled = links.length > 0 || mayBegin();
        return { decision: isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
      },
      toString: () => `At most ${TRACES_PER_SECOND} a second`,
    },
  });
}
