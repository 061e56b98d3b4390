import { runProcess } from '../../programs/run-process.ts';

/**
 * A program that fails as a client library does that quotes the request at which it failed: at its start, or later, in a way
 * that nobody planned. A spec looks at what it prints.
 * Usage: node failing-program.js start|later|subscription
 */
const failure = new Error('401 for {"authorization":"Bearer 0123456789abcdef0123456789abcdef"}');

await runProcess(async (end) => {
  const [when] = process.argv.slice(2);
  if (when === 'start') throw failure;
  setImmediate(() => {
    if (when === 'subscription') end(failure);
    else throw failure;
  });
  return { close: async () => {} };
});
