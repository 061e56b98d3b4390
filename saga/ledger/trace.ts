/**
 * A place in a trace, as W3C writes it in the header `traceparent`: https://www.w3.org/TR/trace-context/#traceparent-header
 *
 * A ledger remembers the one under which its order came, and every message about the order carries it. So everything done
 * for an order belongs to one trace, even after a redelivery or another announcement. The kernel only passes it on.
 */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The place in a trace that a header or an attribute names; undefined if it is missing or malformed. */
export function traceparentIn(text: string | undefined): string | undefined {
  return TRACEPARENT.test(text ?? '') ? text : undefined;
}
