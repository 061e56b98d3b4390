import { Server } from 'node:net';

/**
 * Loaded before another program (`node --import`), whose servers then listen on 127.0.0.1 alone and say where. The functions
 * framework can be told neither.
 */
const { listen } = Server.prototype;
Server.prototype.listen = function (this: Server, port: unknown, ...rest: unknown[]) {
  this.once('listening', () => {
    const address = this.address();
    if (typeof address === 'object') process.stdout.write(`listens on http://127.0.0.1:${address?.port}\n`);
  });
  return Reflect.apply(listen, this, [Number(port), '127.0.0.1', ...rest]);
} as typeof listen;
