import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import type { SagaEvent } from '../../saga/ports/observe.ts';
import { NOW, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { eraseFromLetters } from './erase-letters.ts';
import { DEAD_LETTERS, type DeadLetter, deadLetterPath, letterExpiry, malformed } from './letter.ts';

const LINE = `${NOW.toISOString()} parked`;
const letter = (number: number, fields: Partial<DeadLetter> = {}): DeadLetter => ({
  id: uuidOf(number),
  status: 'parked',
  reason: 'The message is not JSON',
  subscription: 'frontend-sub',
  attempts: 1,
  topic: 'frontend',
  uuid: UUID,
  messageId: 'm1',
  attributes: [],
  body: 'joe',
  encoding: 'utf8',
  bodyBytes: 3,
  history: [LINE],
  createdAt: NOW,
  expireAt: letterExpiry(NOW),
  ...fields,
});

/** Letters, and those of them that are changed once this customer is erased. */
async function erased(customer: string, ...letters: readonly DeadLetter[]) {
  const ports = await recordedPorts(Object.fromEntries(letters.map((one) => [deadLetterPath(one.id), one])));
  const events: SagaEvent[] = [];
  const world = { ...ports, observe: (event: SagaEvent) => void events.push(event) as undefined };
  const erase = () => ports.clock.finish(eraseFromLetters(pipeline, world, { customer, person: 'alice' }));
  const count = await erase();
  const found = await ports.store.read(letters.map(({ id }) => deadLetterPath(id)));
  const after = letters.map(({ id }) => found.get(deadLetterPath(id))?.fields as DeadLetter);
  const changed = after.filter((one, index) => JSON.stringify(one) !== JSON.stringify(letters[index]));
  return { count, after, changed, events, erase };
}
const isErased = async (customer: string, fields: Partial<DeadLetter>) =>
  (await erased(customer, letter(1, fields))).count === 1;

describe('A customer who is erased from the desk', () => {
  it('[anomaly 57] leaves letters that say nothing and are never sent, and by whose wish', async () => {
    const attributes = [{ name: 'from', value: 'joe' }];
    const { changed, events } = await erased('joe', letter(1, { attributes }), letter(2, { body: 'jill' }));
    expect(changed).to.deep.equal([
      letter(1, {
        status: 'discarded',
        reason: 'Its customer was erased',
        body: '',
        bodyBytes: 0,
        history: [LINE, `${NOW.toISOString()} discarded by alice: Its customer was erased`],
      }),
    ]);
    expect(changed.map(malformed)).to.deep.equal([undefined]);
    expect(events).to.deep.equal([{ kind: 'letter', status: 'discarded' }]);
  });

  it('[anomaly 57] leaves decided what was decided, without the notes', async () => {
    const at = NOW.toISOString();
    for (const status of ['redriven', 'discarded'] as const) {
      const history = [LINE, `${at} ${status} by bob: joe wants it`];
      const { changed, events } = await erased('joe', letter(1, { status, history, body: '' }));
      expect(changed[0]).to.deep.include({ status, history: [LINE, `${at} ${status}`] });
      expect(events).to.deep.equal([]);
    }
  });

  it('[anomaly 57] is not said to be gone while a letter could not be changed', async () => {
    const one = letter(1, { body: 'joe' });
    const ports = await recordedPorts({ [deadLetterPath(one.id)]: one });
    ports.store.poison = () => true;
    const erasing = eraseFromLetters(pipeline, ports, { customer: 'joe', person: 'alice' });
    const failure = await ports.clock.finish(erasing.catch((error: Error) => error));
    expect(String(failure)).to.equal('StoreError: The spec says: rejected');
    ports.store.poison = () => false;
    expect(
      await ports.clock.finish(eraseFromLetters(pipeline, ports, { customer: 'joe', person: 'alice' })),
    ).to.equal(1);
  });

  it('[anomaly 57] is erased once from a letter of which two want it at once, and passed over where it is gone', async () => {
    const [one, gone] = [letter(1), letter(2)];
    const ports = await recordedPorts({
      [deadLetterPath(one.id)]: one,
      [deadLetterPath(gone.id)]: gone,
    });
    ports.store.commitFaults.push(async () => {
      await ports.store.commit([{ kind: 'remove', path: deadLetterPath(gone.id) }]);
    });
    const erasing = ['alice', 'bob'].map((person) =>
      eraseFromLetters(pipeline, ports, { customer: 'joe', person }),
    );
    await ports.clock.finish(Promise.all(erasing));
    const [left] = (await ports.store.list(DEAD_LETTERS, 10)).map(({ fields }) => fields as DeadLetter);
    expect(left?.history[1]).to.match(/ discarded by (alice|bob): Its customer was erased$/);
    expect(await ports.store.list(DEAD_LETTERS, 10)).to.have.length(1);
  });

  it('is found in whatever is said to be theirs', async () => {
    expect(await isErased('joe', { body: '{"user":"joe","item":"widget"}' })).to.equal(true);
    expect(await isErased('jos\u00e9', { body: '{"user":"jos\\u00e9"}' })).to.equal(true);
    expect(await isErased('a"b', { body: '{"user":"a\\"b"}' })).to.equal(true);
    expect(await isErased('joe', { body: '{"user":"jack","item":"joe"}' })).to.equal(false);
  });

  it('is found as a word where nothing says whose it is, and not as a part of one', async () => {
    const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
    expect(await isErased('joe', { body: '{"user": "joe", "it' })).to.equal(true);
    expect(await isErased('jos\u00e9', { body: '{"name":"jos\\u00e9"}' })).to.equal(true);
    expect(await isErased('joe', { body: base64('\xff joe'), encoding: 'base64' })).to.equal(true);
    expect(await isErased('joe', { body: '', reason: 'The document users/joe is malformed' })).to.equal(true);
    expect(await isErased('joe', { body: '', attributes: [{ name: 'a', value: 'for joe' }] })).to.equal(true);
    expect(await isErased('joe', { body: 'widget,2\njoe,3' })).to.equal(true);
    expect(await isErased('joe', { body: '[{"joe":1}]' })).to.equal(true);
    expect(await isErased('joe', { body: '[null,"joe"]' })).to.equal(true);
    expect(await isErased('joe', { body: 'joey' })).to.equal(false);
    expect(await isErased('joe', { body: 'null' })).to.equal(false);
    expect(await isErased('jo', { body: 'joe, \u00e9jo' })).to.equal(false);
    // What the desk itself writes there is no name.
    expect(await isErased('parked', { body: '' })).to.equal(false);
  });

  it('[anomaly 57] is found on every page, and once', async () => {
    const letters = Array.from({ length: 45 }, (_, n) => letter(n));
    const { count, changed, erase } = await erased('joe', ...letters);
    expect([count, changed.length, await erase()]).to.deep.equal([45, 45, 0]);
    // Nor because its note is what somebody is called.
    expect(await erased('erased', ...changed)).to.include({ count: 0 });
  });

  it('is erased from letters that somebody has edited', async () => {
    for (const edit of [
      { history: 7 },
      { attributes: 'joe' },
      { attributes: undefined },
      { encoding: 'rot13' },
      { body: undefined, attributes: ['x'], reason: 'joe' },
    ]) {
      const { changed } = await erased('joe', letter(1, edit as never));
      expect(JSON.stringify(changed)).not.to.equal('[]').and.not.to.include('joe');
    }
  });
});
