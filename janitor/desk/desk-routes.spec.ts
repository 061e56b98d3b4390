import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { Problem } from '../../saga/http/http.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { NOW, UUID } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { deskRoutes } from './desk-routes.ts';
import { type DeadLetter, deadLetterPath, letterExpiry } from './letter.ts';

const PATH = deadLetterPath(UUID);
const letter: DeadLetter = {
  id: UUID,
  status: 'parked',
  reason: 'The message is not JSON',
  subscription: 'frontend-sub',
  attempts: 1,
  topic: 'frontend',
  messageId: 'm1',
  attributes: [],
  body: 'joe',
  encoding: 'utf8',
  bodyBytes: 3,
  history: [`${NOW.toISOString()} parked`],
  createdAt: NOW,
  expireAt: letterExpiry(NOW),
};

/** A desk with this letter, and what a request for it comes to if it fails. */
async function desk() {
  const ports = await recordedPorts({ [PATH]: letter });
  const routes = deskRoutes(pipeline, ports);
  const failureOf = (method: string, path: string, id = UUID) => {
    const request = { params: { id }, query: {}, body: undefined, header: () => undefined };
    const handled = routes.find((one) => one.method === method && one.path === path)?.handle(request);
    return ports.clock.finish(
      Promise.resolve(handled).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  };
  return { ports, failureOf };
}

describe('A request for a letter', () => {
  it('is answered with 404 if the letter expires meanwhile, and repeats no name without end', async () => {
    const { ports, failureOf } = await desk();
    const { read } = ports.store;
    ports.store.read = async (paths) => {
      const found = await read.call(ports.store, paths);
      if (found.size > 0) await ports.store.commit([{ kind: 'remove', path: PATH }]);
      return found;
    };
    for (const id of [UUID, `${UUID}${'x'.repeat(100)}`]) {
      const failure = await failureOf('DELETE', '/dead-letters/{id}', id);
      expect(failure)
        .to.be.instanceOf(Problem)
        .and.to.deep.include({
          status: 404,
          detail: `There is no dead letter ${UUID}`,
        });
    }
  });

  it('to send it says who failed, the broker or the store', async () => {
    const { ports, failureOf } = await desk();
    ports.store.poison = () => true;
    const redriven = () => failureOf('POST', '/dead-letters/{id}/redrive');
    expect(await redriven()).to.be.instanceOf(StoreError);
    ports.deafTopics.add('frontend');
    expect(await redriven())
      .to.be.instanceOf(Problem)
      .and.to.deep.include({
        status: 503,
        detail: 'The broker did not take what was sent; it stays parked. Try again',
      });
  });
});
