import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { DEAD_LETTER, deadLetterOf, derivedUuid, REDRIVE } from '../../saga/deliver/message.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { Observe, SagaEvent } from '../../saga/ports/observe.ts';
import { readOne } from '../../saga/ports/store.ts';
import { aDelivery, NOW, type TestDelivery, TRACE, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { type DeadLetter, deadLetterPath, letterExpiry } from './letter.ts';
import { BODY_BYTES_MAX, createParking } from './park-messages.ts';
import { discardLetter, redriveLetter } from './redrive-letters.ts';

async function desk(observe?: Observe) {
  const ports = await recordedPorts();
  const park = createParking(pipeline, { ...ports, ...(observe && { observe }) }, topologyOf(pipeline));
  return {
    ports,
    park: (...deliveries: TestDelivery[]) => ports.clock.finish(park(deliveries)),
    letters: async () => (await ports.store.list('dead-letters', 10)).map(({ fields }) => fields),
  };
}

/** What the runner hands to the desk, as it arrives there. */
const parked = (data: Buffer, messageId = 'm1', fields: { attempt?: number } = {}): TestDelivery => {
  const original = aDelivery(data, {
    subscription: 'frontend-sub',
    messageId,
    attempt: 3,
    attributes: { 'ce-id': 'x' },
  });
  const { attributes } = deadLetterOf(original, 'The message is not JSON');
  return aDelivery(data, { messageId: `dead-${messageId}`, attributes, ...fields });
};
/** What is the same in every letter that has just been parked. */
const FRESH = {
  status: 'parked',
  history: [`${NOW.toISOString()} parked`],
  createdAt: NOW,
  expireAt: letterExpiry(NOW),
};
const letter = (id: string, fields: object) => ({
  id,
  reason: 'The message is not JSON',
  subscription: 'frontend-sub',
  attempts: 3,
  topic: 'frontend',
  messageId: 'm1',
  attributes: [
    { name: 'ce-id', value: 'x' },
    { name: DEAD_LETTER.reason, value: 'The message is not JSON' },
    { name: DEAD_LETTER.subscription, value: 'frontend-sub' },
    { name: DEAD_LETTER.messageId, value: 'm1' },
    { name: DEAD_LETTER.attempts, value: '3' },
  ],
  ...FRESH,
  ...fields,
});
const ID = derivedUuid('dead-letter', 'frontend-sub/m1');

describe('The dead-letter desk', () => {
  it('[anomaly 22] keeps a message as it came, with its reason and where it came from', async () => {
    const { park, letters } = await desk();
    const delivery = parked(Buffer.from('héllo'));
    await park(delivery);
    expect(await letters()).to.deep.equal([letter(ID, { body: 'héllo', encoding: 'utf8', bodyBytes: 6 })]);
    expect(delivery.settled).to.equal('acked');
  });

  it('[anomaly 22] keeps what is not text in base64', async () => {
    const { park, letters } = await desk();
    await park(parked(Buffer.from([0xff, 0x00])));
    expect(await letters()).to.deep.equal([letter(ID, { body: '/wA=', encoding: 'base64', bodyBytes: 2 })]);
  });

  it('[anomaly 22] keeps the beginning of what is too large, and says how large it was', async () => {
    const { park, letters } = await desk();
    await park(parked(Buffer.alloc(BODY_BYTES_MAX + 1, 'x')));
    expect(await letters()).to.deep.equal([
      letter(ID, { body: 'x'.repeat(BODY_BYTES_MAX), encoding: 'utf8', bodyBytes: BODY_BYTES_MAX + 1 }),
    ]);
  });

  it('[anomaly 22] keeps text as text even where its limit falls into the middle of a character', async () => {
    const { park, letters } = await desk();
    await park(parked(Buffer.from(`x${'é'.repeat(BODY_BYTES_MAX / 2)}`)));
    const [kept] = await letters();
    expect(kept).to.include({ encoding: 'utf8', body: `x${'é'.repeat(BODY_BYTES_MAX / 2 - 1)}` });
  });

  it('[anomaly 31] keeps a message once, however often it is dead-lettered', async () => {
    const { ports, park, letters } = await desk();
    const twins = [parked(Buffer.from('hello')), parked(Buffer.from('hello'), 'm1', { attempt: 2 })];
    await park(...twins);
    await park(parked(Buffer.from('hello')));
    expect(await letters()).to.have.length(1);
    expect([twins.map(({ settled }) => settled), ports.store.commits.length]).to.deep.equal([
      ['acked', 'acked'],
      1,
    ]);
  });

  it('[anomaly 31] leaves a letter redriven or discarded, whatever duplicate comes late', async () => {
    const { ports, park, letters } = await desk();
    await park(parked(Buffer.from('a')), parked(Buffer.from('b'), 'm2'));
    const [first, second] = (await letters()) as DeadLetter[];
    await redriveLetter(pipeline, first as DeadLetter, ports);
    await discardLetter(second?.id ?? '', 'A test', ports);
    const before = await letters();
    await park(parked(Buffer.from('a')), parked(Buffer.from('b'), 'm2'));
    expect(await letters()).to.deep.equal(before);
    expect((before as DeadLetter[]).map(({ status }) => status).sort()).to.deep.equal([
      'discarded',
      'redriven',
    ]);
  });

  it('names the order that a message names, in its body or on its envelope', async () => {
    const { ports, park } = await desk();
    const kept = async (body: Buffer, attributes: Record<string, string>) => {
      const messageId = `m${ports.store.commits.length}`;
      await park(aDelivery(body, { messageId, attributes }));
      const path = deadLetterPath(derivedUuid('dead-letter', `unknown/${messageId}`));
      return (await readOne(ports.store, path))?.uuid;
    };
    const other = uuidOf(2);
    expect(await kept(Buffer.from(`{"uuid":"${UUID.toUpperCase()}"}`), { 'ce-subject': other })).to.equal(
      UUID,
    );
    expect(await kept(Buffer.from('no json'), { 'ce-subject': other.toUpperCase() })).to.equal(other);
    expect(await kept(Buffer.from('no json'), { 'ce-subject': '../x' })).to.equal(undefined);
  });

  it('[anomaly 31] names the letter that a message was before it was redriven, and its first id', async () => {
    const { park, letters } = await desk();
    const attributes = {
      [DEAD_LETTER.subscription]: 'frontend-sub',
      [DEAD_LETTER.messageId]: 'm2',
      [REDRIVE.messageId]: 'm1',
      [REDRIVE.letter]: ID,
    };
    await park(aDelivery(Buffer.from('{}'), { attributes }));
    const [kept] = await letters();
    expect(kept).to.include({
      messageId: 'm1',
      redriveOf: ID,
    });
  });

  it('[anomaly 12] keeps what Pub/Sub itself dead-lettered, and tells that it failed again and again', async () => {
    const { park, letters } = await desk();
    const attributes = { [DEAD_LETTER.subscription]: 'error-sub', [DEAD_LETTER.attempts]: '20' };
    await park(aDelivery(Buffer.from('{}'), { messageId: 'm7', attributes }));
    expect(await letters()).to.deep.equal([
      {
        id: derivedUuid('dead-letter', 'error-sub/m7'),
        reason: 'It failed at every delivery',
        subscription: 'error-sub',
        attempts: 20,
        topic: 'error',
        attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })),
        body: '{}',
        encoding: 'utf8',
        bodyBytes: 2,
        ...FRESH,
      },
    ]);
  });

  it('[anomaly 22] keeps what anybody publishes to its topic', async () => {
    const { park, letters } = await desk();
    await park(aDelivery(Buffer.alloc(0), { attributes: { [DEAD_LETTER.attempts]: 'many' } }));
    expect(await letters()).to.deep.equal([
      {
        id: derivedUuid('dead-letter', 'unknown/message-1'),
        reason: 'It failed at every delivery',
        subscription: 'unknown',
        attempts: 1,
        attributes: [{ name: DEAD_LETTER.attempts, value: 'many' }],
        body: '',
        encoding: 'utf8',
        bodyBytes: 0,
        ...FRESH,
      },
    ]);
  });

  it('[anomaly 31] counts each letter once, and logs each delivery in its trace', async () => {
    const observed: SagaEvent[] = [];
    const placeInTrace = TRACE.replaceAll('b2', 'c3');
    const { ports, park } = await desk((event) => {
      observed.push(event);
      return event.kind === 'turn' && event.attempt === 2 ? placeInTrace : undefined;
    });
    const delivery = (fields: object) =>
      aDelivery(Buffer.from('x'), { attributes: { traceparent: TRACE }, ...fields });
    await park(delivery({ messageId: 'm1', attempt: 1 }), delivery({ messageId: 'm1', attempt: 2 }));
    ports.store.poison = () => true;
    await park(delivery({ messageId: 'm2', attempt: 1 }));
    const turn = { kind: 'turn', by: 'janitor', uuid: undefined, trace: TRACE, error: undefined };
    expect(observed).to.deep.equal([
      { ...turn, outcome: 'parked', attempt: 1 },
      { kind: 'letter', status: 'parked' },
      { ...turn, outcome: 'parked', attempt: 2 },
      { ...turn, outcome: 'surprise', attempt: 1, error: 'StoreError: The spec says: rejected' },
    ]);
    expect(ports.logged.map(({ traceparent }) => traceparent)).to.deep.equal([TRACE, placeInTrace, TRACE]);
  });

  it('[anomaly 31] gives a message back that it could not keep, and the others stay', async () => {
    const { ports, park, letters } = await desk();
    ports.store.poison = (path) => path === `dead-letters/${ID}`;
    const deliveries = [parked(Buffer.from('a')), parked(Buffer.from('b'), 'm2')];
    await park(...deliveries);
    expect(deliveries.map(({ settled }) => settled)).to.deep.equal(['nacked', 'acked']);
    expect(await letters()).to.have.length(1);
    const common = {
      step: 'janitor',
      reason: 'The message is not JSON',
      subscription: 'frontend-sub',
      attempt: 1,
    };
    expect(ports.logged).to.deep.equal([
      {
        ...common,
        severity: 'WARNING',
        message: 'janitor: a dead letter was not parked, to be repeated',
        outcome: 'surprise',
        deadLetter: ID,
        messageId: 'dead-m1',
        error: 'StoreError: The spec says: rejected',
      },
      {
        ...common,
        severity: 'WARNING',
        message: 'janitor: a dead letter was parked',
        outcome: 'parked',
        deadLetter: derivedUuid('dead-letter', 'frontend-sub/m2'),
        messageId: 'dead-m2',
      },
    ]);
  });
});
