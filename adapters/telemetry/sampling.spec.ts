import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import { createSampler, createTraceBudget } from './sampling.ts';

const CONTEXT = { traceId: 'a1'.repeat(16), spanId: 'b2'.repeat(8), traceFlags: TraceFlags.SAMPLED };
const LINK = { context: CONTEXT };

describe('The budget of traces', () => {
  it('lets a second begin at once, then as many as have become due, and saves no more than a second', () => {
    let nowMs = 5_000;
    const mayBegin = createTraceBudget(() => nowMs, 4);
    const begunOf = (count: number) => Array.from({ length: count }, mayBegin).filter(Boolean).length;
    expect(begunOf(10)).to.equal(4);
    nowMs += 250;
    expect(begunOf(10)).to.equal(1);
    nowMs += 600;
    expect(begunOf(10)).to.equal(2);
    nowMs += 60_000;
    expect(begunOf(10)).to.equal(4);
  });
});

describe('The sampler', () => {
  const sampler =
    (mayBegin: boolean) =>
    (parentFlags?: TraceFlags, links = [] as (typeof LINK)[]) => {
      const parent =
        parentFlags === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, { ...CONTEXT, traceFlags: parentFlags, isRemote: true });
      const { decision } = createSampler(() => mayBegin).shouldSample(
        parent,
        CONTEXT.traceId,
        'a span',
        SpanKind.INTERNAL,
        {},
        links,
      );
      return decision === SamplingDecision.RECORD_AND_SAMPLED;
    };

  it('lets a trace begin within the budget alone', () => {
    expect([sampler(true)(), sampler(false)()]).to.deep.equal([true, false]);
  });

  it('follows the trace that there is, whatever the budget', () => {
    expect([
      sampler(false)(TraceFlags.SAMPLED),
      sampler(true)(TraceFlags.NONE),
      sampler(true)(TraceFlags.NONE, [LINK]),
    ]).to.deep.equal([true, false, false]);
  });

  it('shows what is linked to a traced order, whatever the budget', () => {
    expect(sampler(false)(undefined, [LINK])).to.equal(true);
  });
});
