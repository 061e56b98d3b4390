import { expect } from 'chai';
import fc from 'fast-check';
import { pipeline } from '../../pipeline.ts';
import { DEAD_LETTER, deadLetterOf, parseMessage, REDRIVE } from '../../saga/deliver/message.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { Delivery, OutgoingMessage } from '../../saga/ports/bus.ts';
import { pause } from '../../saga/ports/clock.ts';
import type { SagaEvent } from '../../saga/ports/observe.ts';
import { readOne } from '../../saga/ports/store.ts';
import { aDelivery, NOW, UUID } from '../../test/support/builders.ts';
import { type RecordedPorts, recordedPorts } from '../../test/support/recorded-ports.ts';
import { type DeadLetter, deadLetterPath } from './letter.ts';
import { BODY_BYTES_MAX, createParking } from './park-messages.ts';
import { discardLetter, type Redriven, redriveLetter } from './redrive-letters.ts';

const topology = topologyOf(pipeline);
const ORDER = { user: 'jack', item: 'widget', quantity: 2 };

/** A desk, and the letters that these dead-letter messages became, in their order. */
async function deskWith(...messages: OutgoingMessage[]) {
  const observed: SagaEvent[] = [];
  const observe = (event: SagaEvent) => void observed.push(event) as undefined;
  const ports = { ...(await recordedPorts()), observed, observe };
  const letters: DeadLetter[] = [];
  for (const [index, message] of messages.entries())
    letters.push(await parkedAs(ports, message, `dead-${index}`));
  ports.journal.length = 0;
  observed.length = 0;
  return {
    ports,
    letters,
    letter: letters[0] as DeadLetter,
    redrive: (...some: DeadLetter[]) =>
      ports.clock.finish(Promise.all(some.map((one) => redriveLetter(pipeline, one, ports)))),
    discard: (id: string, note: string, operator?: string) =>
      ports.clock.finish(discardLetter(id, note, ports, operator)),
    stored: (id: string) => readOne(ports.store, deadLetterPath(id)),
  };
}

async function parkedAs(ports: RecordedPorts, { data, attributes }: OutgoingMessage, messageId: string) {
  const before = new Set((await ports.store.list('dead-letters', 100)).map(({ id }) => id));
  await ports.clock.finish(
    createParking(pipeline, ports, topology)([aDelivery(data, { messageId, attributes })]),
  );
  const added = (await ports.store.list('dead-letters', 100)).find(({ id }) => !before.has(id));
  return added?.fields as DeadLetter;
}

/** A message that the runner parked. */
const poison = (body: unknown = ORDER, fields: Partial<Delivery> = {}): OutgoingMessage =>
  deadLetterOf(aDelivery(body, { messageId: 'm1', subscription: 'frontend-sub', ...fields }), 'It is poison');
/** A message that the broker gave up. */
const givenUp = (body: unknown, subscription = 'frontend-sub'): OutgoingMessage => ({
  topic: 'dead-letter',
  data: Buffer.from(JSON.stringify(body)),
  attributes: {
    [DEAD_LETTER.subscription]: subscription,
    [DEAD_LETTER.attempts]: '100',
    CloudPubSubDeadLetterSourceTopicPublishTime: '2026-01-02T03:04:05.678Z',
  },
});
const line = (text: string) => `${NOW.toISOString()} ${text}`;
const outcomes = (results: readonly Redriven[]) => results.map(({ outcome }) => outcome);

describe('A redrive', () => {
  it('[anomaly 31] sends what came, to where it came from, and then marks the letter', async () => {
    const { ports, letter, redrive, stored } = await deskWith(
      poison(Buffer.from('héllo'), { attributes: { 'ce-id': 'x', note: 'by hand' } }),
    );
    const redriven = { ...letter, status: 'redriven', history: [line('parked'), line('redriven')] };
    expect(await redrive(letter)).to.deep.equal([{ outcome: 'redriven', letter: redriven }]);
    expect(ports.published).to.deep.equal([
      {
        topic: 'frontend',
        data: Buffer.from('héllo'),
        attributes: {
          'ce-id': 'x',
          note: 'by hand',
          [REDRIVE.messageId]: 'm1',
          [REDRIVE.letter]: letter.id,
        },
      },
    ]);
    expect(ports.journal).to.deep.equal(['publish frontend', 'commit']);
    expect(await stored(letter.id)).to.deep.equal(redriven);
  });

  it('[anomaly 31] gives back every byte and every attribute', async () => {
    const anyMessage = fc.record({
      bytes: fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary' }).map(Buffer.from)),
      attributes: fc.dictionary(fc.stringMatching(/^[a-z_.]{1,20}$/), fc.string({ unit: 'grapheme' }), {
        noNullPrototype: true,
      }),
    });
    await fc.assert(
      fc.asyncProperty(anyMessage, async ({ bytes, attributes }) => {
        const data = Buffer.from(bytes);
        const { ports, letter, redrive } = await deskWith(poison(data, { attributes }));
        await redrive(letter);
        const ours = { [REDRIVE.messageId]: 'm1', [REDRIVE.letter]: letter.id };
        expect(ports.published).to.deep.equal([
          { topic: 'frontend', data, attributes: { ...attributes, ...ours } },
        ]);
      }),
      { numRuns: 50 },
    );
  });

  it('[anomaly 31] of an order without a uuid is the same order, also when it fails and is redriven again', async () => {
    const subscription = 'frontend-sub';
    const first = aDelivery(ORDER, { messageId: 'm1', subscription });
    const { ports, letter, redrive } = await deskWith(deadLetterOf(first, 'It is poison'));
    await redrive(letter);
    const attributes = ports.published[0]?.attributes ?? {};
    const again = aDelivery(ORDER, { messageId: 'm2', subscription, attributes });
    expect(parseMessage(pipeline, again, true)).to.deep.equal(parseMessage(pipeline, first, true));

    const second = await parkedAs(ports, deadLetterOf(again, 'It is still poison'), 'dead-again');
    expect(second).to.deep.include({ status: 'parked', messageId: 'm1', redriveOf: letter.id });
    expect(second.id).not.to.equal(letter.id);
    await redrive(second);
    const third = aDelivery(ORDER, { messageId: 'm3', attributes: ports.published[1]?.attributes ?? {} });
    expect(parseMessage(pipeline, third, true)).to.deep.equal(parseMessage(pipeline, first, true));
    expect(third.attributes).to.include({ [REDRIVE.letter]: second.id });
  });

  it('[anomaly 31] twice at once becomes one letter if it fails again, and another message none of its', async () => {
    const first = aDelivery(ORDER, { messageId: 'm1', subscription: 'frontend-sub' });
    const { ports, letter, redrive } = await deskWith(deadLetterOf(first, 'It is poison'));
    await redrive(letter);
    const attributes = ports.published[0]?.attributes ?? {};
    const copy = (messageId: string, body: object = ORDER) =>
      deadLetterOf(aDelivery(body, { messageId, subscription: 'frontend-sub', attributes }), 'It is poison');
    const one = await parkedAs(ports, copy('m2'), 'dead-2');
    const again = await parkedAs(ports, copy('m3'), 'dead-3');
    const forged = await parkedAs(ports, copy('m4', { forged: true }), 'dead-4');
    expect(one).to.include({ redriveOf: letter.id });
    expect(again).to.equal(undefined);
    expect(forged).to.include({ redriveOf: letter.id });
  });

  it('is refused for a letter that somebody has made malformed, and the others are sent', async () => {
    const { letter, redrive } = await deskWith(poison(Buffer.from('[]')));
    const malformed = { ...letter, id: UUID, attributes: undefined } as unknown as DeadLetter;
    const [refused, sent] = await redrive(malformed, letter);
    expect(refused).to.have.property('outcome', 'refused');
    expect(sent).to.have.property('outcome', 'redriven');
  });

  it('is refused for a malformed letter also if it seems to have been redriven', async () => {
    const { ports, letter, redrive } = await deskWith(poison());
    const malformed = { ...letter, status: 'redriven', body: undefined } as unknown as DeadLetter;
    expect(outcomes(await redrive(malformed))).to.deep.equal(['refused']);
    expect(ports.journal).to.deep.equal([]);
  });

  it('is logged and counted for what it came to: sent, refused, or to be repeated', async () => {
    const { ports, letters, redrive } = await deskWith(
      poison(),
      givenUp(ORDER),
      givenUp({ uuid: UUID }, 'error-sub'),
    );
    ports.deafTopics.add('error');
    ports.logged.length = 0;
    await redrive(...letters);
    const named = (index: number, topic: string, uuid?: string) => ({
      step: 'janitor',
      deadLetter: letters[index]?.id,
      topic,
      ...(uuid && { uuid }),
    });
    expect(ports.logged).to.have.deep.members([
      { severity: 'INFO', message: 'janitor: a dead letter was redriven', ...named(0, 'frontend') },
      {
        severity: 'WARNING',
        message: "janitor: a dead letter can't be redriven",
        detail:
          'The message names no order and its first id is not known: sent again, it could become a second order',
        ...named(1, 'frontend'),
      },
      {
        severity: 'ERROR',
        message: 'janitor: a dead letter was not redriven, to be repeated',
        error: 'Error: The broker is away',
        ...named(2, 'error', UUID),
      },
    ]);
    expect(ports.observed).to.deep.equal([{ kind: 'letter', status: 'redriven' }]);
  });

  it('is done also if the letter expired while it was being sent', async () => {
    const { ports, letter, redrive } = await deskWith(poison());
    await ports.store.commit([{ kind: 'remove', path: deadLetterPath(letter.id) }]);
    const history = [line('parked'), line('redriven')];
    expect(await redrive(letter)).to.deep.equal([
      { outcome: 'redriven', letter: { ...letter, status: 'redriven', history } },
    ]);
  });

  it('[anomaly 12] sends what the broker gave up, without the words of the broker', async () => {
    const { ports, letter, redrive } = await deskWith(givenUp({ uuid: UUID, ...ORDER }, 'error-sub'));
    await redrive(letter);
    expect(ports.published).to.deep.equal([
      {
        topic: 'error',
        data: Buffer.from(JSON.stringify({ uuid: UUID, ...ORDER })),
        attributes: { [REDRIVE.letter]: letter.id },
      },
    ]);
  });

  it('[anomaly 31] done twice sends once; done in two places at once it sends twice and marks once', async () => {
    const { ports, letter, redrive, stored } = await deskWith(poison());
    await Promise.all([redrive(letter), redrive(letter)]);
    expect(ports.journal).to.deep.equal(['publish frontend', 'publish frontend', 'commit']);
    const redriven = await stored(letter.id);
    expect(await redrive(redriven as DeadLetter)).to.deep.equal([{ outcome: 'redriven', letter: redriven }]);
    expect(ports.published).to.have.length(2);
  });

  it('[anomaly 31] leaves the letter parked where the broker is away, and sends the others', async () => {
    const { ports, letters, redrive, stored } = await deskWith(
      poison(),
      givenUp({ uuid: UUID }, 'error-sub'),
    );
    ports.deafTopics.add('frontend');
    expect(outcomes(await redrive(...letters))).to.deep.equal(['failed', 'redriven']);
    expect(await stored(letters[0]?.id ?? '')).to.deep.equal(letters[0]);
  });

  it('[anomaly 31] that breaks between sending and marking is repeated', async () => {
    const { ports, letter, redrive, stored } = await deskWith(poison());
    ports.store.poison = () => true;
    expect(outcomes(await redrive(letter))).to.deep.equal(['failed']);
    expect(await stored(letter.id)).to.deep.equal(letter);
    ports.store.poison = () => false;
    expect(outcomes(await redrive(letter))).to.deep.equal(['redriven']);
    expect(ports.journal).to.deep.equal(['publish frontend', 'publish frontend', 'commit']);
  });

  it('[anomaly 19] whose mark seemed to fail is marked once', async () => {
    const { ports, letter, redrive, stored } = await deskWith(poison());
    ports.store.commitFaults.push('lost answer');
    expect(outcomes(await redrive(letter))).to.deep.equal(['redriven']);
    expect((await stored(letter.id))?.history).to.deep.equal([line('parked'), line('redriven')]);
  });

  it('tells the truth about a letter that was discarded while it was being sent', async () => {
    const { ports, letter, redrive, stored } = await deskWith(poison());
    ports.store.commitFaults.push(async () => {
      await discardLetter(letter.id, 'A test', ports);
    });
    await redrive(letter);
    expect(await stored(letter.id)).to.deep.include({
      status: 'redriven',
      history: [line('parked'), line('discarded A test'), line('redriven')],
    });
  });

  const refusals: [what: string, message: OutgoingMessage, why: string][] = [
    [
      'whose subscription nobody knows',
      deadLetterOf(aDelivery(ORDER, { subscription: 'gone-sub' }), 'It is poison'),
      'The topic of the subscription gone-sub is unknown',
    ],
    [
      'whose subscription nobody knows although it has the name of something else',
      deadLetterOf(aDelivery(ORDER, { subscription: 'constructor' }), 'It is poison'),
      'The topic of the subscription constructor is unknown',
    ],
    [
      'whose subscription nobody knows and has a name without end',
      givenUp(ORDER, 'x'.repeat(256)),
      `The topic of the subscription ${'x'.repeat(255)} is unknown`,
    ],
    [
      'without a source that names an order',
      { topic: 'dead-letter', data: Buffer.from(JSON.stringify({ uuid: UUID })), attributes: {} },
      `The topic of the subscription unknown is unknown; POST /sagas/${UUID}/announce sends what the order itself calls for`,
    ],
    [
      'that was too large to be kept as a whole',
      poison(Buffer.alloc(BODY_BYTES_MAX + 1, 'x')),
      `The message has ${BODY_BYTES_MAX + 1} bytes, of which only the first ${BODY_BYTES_MAX} were kept`,
    ],
    [
      'of bytes that was too large to be kept as a whole',
      poison(Buffer.alloc(BODY_BYTES_MAX + 1, 0xff)),
      `The message has ${BODY_BYTES_MAX + 1} bytes, of which only the first ${BODY_BYTES_MAX} were kept`,
    ],
    [
      'that would become a second order',
      givenUp(ORDER),
      'The message names no order and its first id is not known: sent again, it could become a second order',
    ],
  ];
  for (const [what, message, why] of refusals) {
    it(`refuses a letter ${what}, and leaves it as it is`, async () => {
      const { ports, letter, redrive, stored } = await deskWith(message);
      expect(await redrive(letter)).to.deep.equal([{ outcome: 'refused', why }]);
      expect([await stored(letter.id), ports.journal]).to.deep.equal([letter, []]);
    });
  }

  it('refuses a letter once it is so old that the ledger of its order may be gone', async () => {
    const { ports, letter, redrive } = await deskWith(poison(), poison());
    const until = letter.expireAt.getTime() - NOW.getTime();
    await ports.clock.finish(pause(ports.clock, until - 1));
    expect(outcomes(await redrive(letter))).to.deep.equal(['redriven']);
    await ports.clock.finish(pause(ports.clock, 1));
    expect(await redrive(letter)).to.deep.equal([
      {
        outcome: 'refused',
        why: 'The letter is more than 30 days old: the ledger that would recognize its order may be gone',
      },
    ]);
    expect(ports.published).to.have.length(1);
  });

  it('stays within the number of attributes that Pub/Sub takes', async () => {
    const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`name-${index}`, 'x']));
    const { ports, letter, redrive } = await deskWith({
      ...givenUp({ uuid: UUID }),
      attributes: { ...attributes, [DEAD_LETTER.subscription]: 'error-sub' },
    });
    await redrive(letter);
    expect(Object.keys(ports.published[0]?.attributes ?? {})).to.have.length(99);
  });
});

describe('A discarded letter', () => {
  it('[anomaly 31] stays, with a note that says why, and a repetition changes nothing and is not counted', async () => {
    const { ports, letter, discard, stored } = await deskWith(poison());
    ports.logged.length = 0;
    const discarded = {
      ...letter,
      status: 'discarded',
      history: [line('parked'), line('discarded by alice: A test')],
    };
    // It goes through, and nobody hears of it.
    ports.store.commitFaults.push('lost answer');
    expect(await discard(letter.id, 'A test', 'alice')).to.deep.equal(discarded);
    expect(await discard(letter.id, 'Another note', 'bob')).to.deep.equal(discarded);
    expect(await stored(letter.id)).to.deep.equal(discarded);
    expect(ports.logged).to.deep.equal([
      {
        severity: 'INFO',
        message: 'janitor: a dead letter was discarded',
        step: 'janitor',
        deadLetter: letter.id,
        detail: 'A test',
        operator: 'alice',
      },
    ]);
    expect(ports.observed).to.deep.equal([{ kind: 'letter', status: 'discarded' }]);
  });

  it("[anomaly 31] can't be redriven", async () => {
    const { ports, letter, redrive, discard } = await deskWith(poison());
    const discarded = await discard(letter.id, 'A test');
    expect(await redrive(discarded as DeadLetter)).to.deep.equal([
      { outcome: 'refused', why: 'The letter was discarded; its history says why' },
    ]);
    expect(ports.published).to.deep.equal([]);
  });

  it('[anomaly 31] is none that was redriven before', async () => {
    const { ports, letter, redrive, discard, stored } = await deskWith(poison());
    await redrive(letter);
    const redriven = await stored(letter.id);
    expect(await discard(letter.id, 'A test')).to.deep.equal(redriven);
    expect(await stored(letter.id)).to.deep.equal(redriven);
    expect(ports.observed).to.deep.equal([{ kind: 'letter', status: 'redriven' }]);
  });

  it('is none that nobody knows, nor one that could not be stored', async () => {
    const { ports, letter, discard } = await deskWith(poison());
    expect(await discard(UUID, 'A test')).to.equal(undefined);
    ports.store.poison = () => true;
    const failure = await discard(letter.id, 'A test').catch((error: Error) => error);
    expect(String(failure)).to.equal('StoreError: The spec says: rejected');
  });
});
