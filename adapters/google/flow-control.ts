/**
 * How much of a subscription a process asks for at once. Pub/Sub counts it for each of the client's streams, so each asks for its share.
 * The emulator hands out everything all the same (docs/decisions/0024-memory-at-a-backlog.md).
 */

/**
 * The emulator hands out 100 messages every 50 ms to each stream, so a single stream would be the bottleneck. But it keeps feeding
 * the streams of a killed reader for a while, so more streams make the recovery slower.
 */
export const STREAM_COUNT = 2;
/** All messages in hand together, as many as an inbox keeps. The client's own limit is three times that. */
export const OUTSTANDING_BYTES_MAX = 64 * 1024 * 1024;

/** @param outstandingMax how many messages all streams together may have handed out. */
export const flowControlOf = (outstandingMax: number) => ({
  maxMessages: Math.ceil(outstandingMax / STREAM_COUNT),
  maxBytes: OUTSTANDING_BYTES_MAX / STREAM_COUNT,
  // Excess messages would wait inside the client, and `close` never hands those back. So ours is the only queue.
  allowExcessMessages: true,
});
