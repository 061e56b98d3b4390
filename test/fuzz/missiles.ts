import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { pipeline } from '../../pipeline.ts';
import { DEAD_LETTER, derivedUuid, REDRIVE } from '../../saga/deliver/message.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { SETTINGS, uuidOf } from '../support/builders.ts';
import { topology } from '../support/pipeline.ts';
import { type Damage, type Missile, OPERATOR_TOKEN } from './fuzz-world.ts';

/** What a fuzz draws: mostly what is nearly right, because what is wholly wrong never comes far. */

const oneOf = <T>(...values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);
/** The first far more often than the last. */
const mostly = <T>(usual: Arbitrary<T>, ...others: readonly Arbitrary<T>[]): Arbitrary<T> =>
  fc.oneof({ weight: 6, arbitrary: usual }, ...others.map((arbitrary) => ({ weight: 1, arbitrary })));

const routes = allServices(
  pipeline,
  {
    store: createMemoryStore(),
    bus: createMemoryBus(topology, systemClock),
    clock: systemClock,
    random: () => 0.5,
    newUuid: () => '',
    log: () => {},
  },
  SETTINGS,
).flatMap((service) => service.routes());
const TARGETS = routes.map(({ method, path }) => ({ method, template: path }));
const SUBSCRIPTIONS = Object.keys(topology.subscriptions);
const PUSHED = SUBSCRIPTIONS.filter((one) => topology.subscriptions[one]?.service !== undefined);
const KEYS = ['a', 'b', 'same key'];
const MESSAGE_IDS = ['1', '2', '3', 'p-1', 'p-2'];

const wildText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  oneOf(
    '',
    '.',
    '..',
    '__x__',
    '__proto__',
    'constructor',
    'toString',
    'a/b',
    'a\u0000',
    '\ud800',
    '\u202e',
    'x'.repeat(129),
    'x'.repeat(2000),
  ),
);
const name = mostly(oneOf('jack', 'joe', 'widget', 'wotsit', 'nobody'), wildText);
const uuid = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 8 }).map(uuidOf) },
  { weight: 3, arbitrary: fc.integer({ min: 0xa0, max: 0xa2 }).map(uuidOf) },
  { weight: 2, arbitrary: oneOf(...KEYS).map((key) => derivedUuid('idempotency-key', key)) },
  { weight: 2, arbitrary: oneOf(...MESSAGE_IDS).map((id) => derivedUuid('message-id', id)) },
  { weight: 1, arbitrary: fc.uuid() },
  {
    weight: 1,
    arbitrary: oneOf(
      uuidOf(0xa0).toUpperCase(),
      '00000000-0000-0000-0000-000000000000',
      `${uuidOf(1)}/..`,
      `{${uuidOf(1)}}`,
    ),
  },
  { weight: 1, arbitrary: wildText },
);
const letterId = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(oneOf(...SUBSCRIPTIONS, 'unknown'), oneOf(...MESSAGE_IDS))
      .map(([subscription, id]) => derivedUuid('dead-letter', `${subscription}/${id}`)),
  },
  { weight: 1, arbitrary: uuid },
);

const wildValue: Arbitrary<unknown> = fc.oneof(
  wildText,
  oneOf<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    Number.POSITIVE_INFINITY,
    1_000_000_001,
    Number.MAX_SAFE_INTEGER,
    [],
    {},
    [[]],
    [null],
    { toString: 1 },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const quantity = mostly<unknown>(fc.integer({ min: 1, max: 4 }), oneOf(0, 1_000_000_000, 20), wildValue);
const line = mostly<unknown>(
  fc.record({ item: name, quantity }),
  fc.record({ item: name, quantity, price_per_unit: wildValue }, { requiredKeys: [] }),
  wildValue,
);
/** A step that is to refuse its order. */
const failing = mostly<unknown>(oneOf(...pipeline.steps.map(({ name }) => name)), wildValue);
/** An order as it is posted, with a field too many, too few or too strange now and then. */
const postedOrder = mostly<unknown>(
  fc.record(
    { user: name, item: name, quantity, 'payment-error': wildValue, fail: failing },
    { requiredKeys: ['user', 'item', 'quantity'] },
  ),
  fc.record(
    {
      user: name,
      items: mostly<unknown>(fc.array(line, { maxLength: 4 }), wildValue),
      'payment-error': wildValue,
      fail: failing,
    },
    { requiredKeys: ['user', 'items'] },
  ),
  fc.dictionary(
    oneOf('user', 'item', 'items', 'quantity', 'payment-error', 'fail', '__proto__', 'uuid', 'x'),
    wildValue,
  ),
  wildValue,
);
/** What an operator wants of the stock. */
const wantedStock = fc.record({
  price_per_unit: quantity,
  loaded: mostly<unknown>(fc.integer({ min: 0, max: 30 }), wildValue),
  note: mostly<unknown>(fc.constant('A delivery came'), wildText),
});
/** A snapshot as messages carry it, true to no ledger. */
const snapshot = mostly<unknown>(
  fc.record(
    {
      uuid: mostly<unknown>(uuid, wildValue),
      user: mostly<unknown>(name, wildValue),
      item: mostly<unknown>(name, wildValue),
      quantity,
      items: mostly<unknown>(fc.array(line, { maxLength: 3 }), wildValue),
      status: mostly<unknown>(oneOf(...pipeline.statuses), wildValue),
      reason: mostly<unknown>(oneOf(...pipeline.reasons), wildValue),
      detail: wildValue,
      total_invoice: wildValue,
      'payment-error': wildValue,
      fail: failing,
    },
    { requiredKeys: ['uuid'] },
  ),
  fc.record({ user: name, item: name, quantity }),
  postedOrder,
);

const json = (value: Arbitrary<unknown>): Arbitrary<Buffer> =>
  value.map((one) => Buffer.from(JSON.stringify(one) ?? ''));
const wildBytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  oneOf(
    '',
    '{',
    '[1',
    '{"__proto__":{"user":"jack"}}',
    '\ufeff{}',
    '"',
    'null',
    '['.repeat(5000),
    `{"uuid":"${'x'.repeat(3000)}"}`,
  ).map((text) => Buffer.from(text)),
);
/** Bytes that began as JSON. */
const bitten = (bytes: Arbitrary<Buffer>): Arbitrary<Buffer> =>
  fc.tuple(bytes, fc.nat(200), fc.nat(255)).map(([whole, at, byte]) => {
    const copy = Buffer.from(whole);
    if (at < copy.length) copy[at] = byte;
    return at % 3 === 0 ? copy.subarray(0, at) : copy;
  });
const content = (value: Arbitrary<unknown>): Arbitrary<Buffer> =>
  mostly(json(value), bitten(json(value)), wildBytes);

const token = mostly(
  oneOf(`Bearer ${OPERATOR_TOKEN}`),
  oneOf(
    '',
    'Bearer',
    `bearer ${OPERATOR_TOKEN}x`,
    `Basic ${OPERATOR_TOKEN}`,
    `Bearer  ${OPERATOR_TOKEN.slice(1)}`,
    `Bearer ${OPERATOR_TOKEN} x`,
  ),
);
/** What a header may hold by the time that Node has let it in. */
const headerText = fc.string({ unit: oneOf(...'abc,;=/*"é\u00ff{}[]:-_ 0129'), maxLength: 20 });
const attributeName = mostly<string>(
  oneOf(
    'ce-id',
    'ce-subject',
    'ce-specversion',
    'ce-type',
    'traceparent',
    'googclient_x',
    ...Object.values(DEAD_LETTER),
    ...Object.values(REDRIVE),
  ),
  fc.string({ minLength: 1, maxLength: 10 }),
  oneOf('__proto__', 'constructor', '__x__', 'a.b', '`'),
);
const attributes = fc.dictionary(
  attributeName,
  fc.oneof(uuid, oneOf('1.0', '0.3', ...SUBSCRIPTIONS, ...MESSAGE_IDS), wildText),
  { maxKeys: 4 },
);

const parameter = mostly<string>(
  oneOf(
    'limit=2',
    'limit=100',
    'user=jack',
    'user=joe',
    'status=PAID',
    'status=parked',
    'status=redriven',
    'reason=x',
    'note=Test',
    'detail=x',
    'at=2026-01-02T03:04:05Z',
    'at=2026-01-02T03:04:05.678%2B02:00',
  ),
  fc
    .tuple(
      oneOf(
        'limit',
        'page',
        'user',
        'status',
        'reason',
        'note',
        'at',
        '__proto__',
        'constructor',
        'a[b]',
        '',
      ),
      wildText,
    )
    .map(([key, value]) => `${key}=${escaped(value)}`),
  fc
    .tuple(fc.nat(4102444800000), uuid)
    .map(([ms, id]) => `page=${Buffer.from(`${ms}/${id}`).toString('base64url')}`),
  fc.string({ unit: oneOf(...'%=&+?#[]abc0'), maxLength: 12 }),
);

function escaped(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, '\ufffd'));
}

const strangeMethod = oneOf(
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'M-SEARCH',
  'QUERY',
);
const strangePath = oneOf('/', '/openapi.json', '/livez', '/readyz', '/push/frontend-sub', '/nowhere', '*');
/** What somebody may do to a path. */
const bend = mostly(
  fc.constant((path: string) => path),
  oneOf(
    (path: string) => `/${path}`,
    (path: string) => `${path}/`,
    (path: string) => path.toUpperCase(),
    (path: string) => path.replaceAll('-', '%2D'),
    (path: string) => `${path}%2F..%2F..`,
    (path: string) => `${path}/../${path}`,
    (path: string) => `${path}%`,
    (path: string) => `http://elsewhere.example${path}`,
    (path: string) => path.replace('/', '\\'),
    (path: string) => `${path};x=1`,
    (path: string) => `/%00${path}`,
  ),
);
/** A route with what its path names, or nearly so. */
const target = fc
  .tuple(
    mostly(
      oneOf(...TARGETS),
      fc.record({ method: strangeMethod, template: oneOf(...TARGETS).map(({ template }) => template) }),
      fc.record({ method: strangeMethod, template: strangePath }),
    ),
    uuid,
    letterId,
    name,
    bend,
    mostly(
      fc.constant<string[]>([]),
      fc.array(parameter, { maxLength: 3 }),
      fc.array(parameter, { maxLength: 2 }),
    ),
  )
  .map(([{ method, template }, order, letter, named, bent, parameters]) => {
    const path = bent(
      template
        .replace('{uuid}', () => escaped(order))
        .replace('{id}', () => escaped(letter))
        .replace(/\{(user|item)\}/, () => escaped(named)),
    );
    return { method, url: parameters.length === 0 ? path : `${path}?${parameters.join('&')}` };
  });

const contentType = mostly(
  oneOf('application/json'),
  oneOf(
    'application/json; charset=utf-8',
    'application/json;charset=utf-16',
    'application/json; charset=x',
    'text/plain',
    'multipart/form-data',
    '',
  ),
  headerText,
);
const usualHeaders = fc.record(
  { 'content-type': contentType, authorization: token, 'idempotency-key': oneOf(...KEYS) },
  { requiredKeys: ['content-type', 'authorization'] },
);
const wildHeaders = fc.record(
  {
    'content-type': contentType,
    authorization: token,
    'idempotency-key': headerText,
    'content-encoding': mostly(oneOf('identity'), oneOf('gzip', 'deflate', 'br', 'zstd', 'x'), headerText),
    'content-length': oneOf('0', '5', '65537', '99999999999', '-1', 'x', '1e9'),
    'x-forwarded-for': headerText,
    'if-none-match': oneOf('*', '"x"'),
    accept: headerText,
    origin: headerText,
    expect: headerText,
    range: oneOf('bytes=0-1'),
  },
  { requiredKeys: ['content-type', 'authorization'] },
);
const headers: Arbitrary<Readonly<Record<string, string | undefined>>> = mostly<
  Readonly<Record<string, string | undefined>>
>(usualHeaders, wildHeaders);

const request: Arbitrary<Missile> = fc
  .tuple(
    target,
    headers,
    content(fc.oneof(postedOrder, fc.record({ detail: wildText }), wantedStock)),
    fc.integer({ min: 0, max: 20 }),
  )
  .map(([{ method, url }, given, body, packing]): Missile => {
    // Which is packed as it says, and which only says so.
    const packed =
      packing === 0
        ? gzipSync(body)
        : packing === 1
          ? deflateSync(body)
          : packing === 2
            ? brotliCompressSync(body)
            : body;
    const encoding = ['gzip', 'deflate', 'br'][packing];
    // The parser of Node gives a body to whoever declares its length.
    const length = given['content-length'] ?? String(packed.length);
    const { 'content-length': _, ...rest } = given;
    return {
      kind: 'request',
      method,
      url,
      headers: defined({
        host: 'localhost',
        ...rest,
        ...(encoding && { 'content-encoding': encoding }),
        'content-length': length,
      }),
      body: packed,
    };
  });

function defined(record: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((one): one is [string, string] => one[1] !== undefined),
  );
}

/** An order as somebody would place it, so that there is something to aim at. */
const honest: Arbitrary<Missile> = fc
  .record({
    user: oneOf('jack', 'joe'),
    item: oneOf('widget', 'wotsit', 'gizmo'),
    quantity: fc.integer({ min: 1, max: 3 }),
  })
  .map((order): Missile => {
    const body = Buffer.from(JSON.stringify(order));
    return {
      kind: 'request',
      method: 'POST',
      url: '/order',
      headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
      body,
    };
  });

const message: Arbitrary<Missile> = fc
  .tuple(
    mostly(oneOf(...topology.topics), oneOf('nowhere', '')),
    content(snapshot),
    mostly(fc.constant({}), attributes, attributes),
  )
  .map(([topic, data, given]): Missile => ({ kind: 'message', topic, data, attributes: given }));

const wrapping = mostly<unknown>(
  fc
    .tuple(content(snapshot), attributes, oneOf(...MESSAGE_IDS), oneOf(1, 90, 100))
    .map(([data, given, messageId, deliveryAttempt]) => ({
      message: {
        data: data.toString('base64'),
        attributes: given,
        messageId,
        publishTime: '2026-01-02T03:04:05Z',
      },
      subscription: 'projects/p/subscriptions/s',
      deliveryAttempt,
    })),
  fc.record(
    {
      message: fc.record(
        {
          data: wildValue,
          attributes: wildValue,
          messageId: wildValue,
          message_id: wildValue,
          publishTime: wildValue,
        },
        { requiredKeys: [] },
      ),
      deliveryAttempt: wildValue,
    },
    { requiredKeys: [] },
  ),
  wildValue,
);
const pushHeaders = fc.record(
  {
    'content-type': oneOf(
      'application/json',
      'application/cloudevents+json',
      'application/cloudevents+json; charset=UTF-8',
      '',
    ),
    'x-goog-pubsub-message-id': oneOf(...MESSAGE_IDS, ''),
    'x-goog-pubsub-publish-time': oneOf('2026-01-02T03:04:05Z', 'never'),
    'x-goog-pubsub-delivery-attempt': oneOf('1', '90', '-1', 'x'),
    'ce-subject': mostly(uuid.filter(isHeader), headerText),
    'ce-specversion': oneOf('1.0', '2'),
    'saga-park-message-id': oneOf(...MESSAGE_IDS),
    'saga-message-id': oneOf(...MESSAGE_IDS),
    traceparent: headerText,
  },
  { requiredKeys: [] },
);

function isHeader(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

const push: Arbitrary<Missile> = fc
  .tuple(
    mostly(oneOf(...PUSHED), oneOf(...SUBSCRIPTIONS), wildText.map(escaped)),
    pushHeaders,
    mostly(
      content(wrapping),
      content(snapshot),
      json(wrapping.map((data) => ({ specversion: '1.0', id: '1', data }))),
    ),
  )
  .map(
    ([subscription, given, body]): Missile => ({
      kind: 'request',
      method: 'POST',
      url: `/push/${subscription}`,
      headers: defined({ ...given, 'content-length': String(body.length) }),
      body,
    }),
  );

/** Anything that can be thrown. */
export const missile: Arbitrary<Missile> = fc.oneof(
  { weight: 5, arbitrary: request },
  { weight: 3, arbitrary: push },
  { weight: 3, arbitrary: message },
  { weight: 1, arbitrary: honest },
);

/** Documents as somebody with an editor might leave them. */
export const damage: Arbitrary<Damage> = fc.oneof(
  fc.record({
    path: fc.integer({ min: 0xa0, max: 0xa2 }).map((number) => `sagas/${uuidOf(number)}`),
    fields: fc.record(
      {
        uuid: oneOf<unknown>(uuidOf(0xa0), uuidOf(0xa1), 'x', null),
        user: oneOf<unknown>('jack', '', '..', 1, null),
        items: oneOf<unknown>([{ item: 'widget', quantity: 1 }], [], {}, 'x', [1], [null], null),
        lines: oneOf<unknown>([{ item: 'widget', quantity: 1, price_per_unit: 5 }], [], [{}], 'x', [1], null),
        charged: oneOf<unknown>(0, 10, -1, 'x', null),
        status: oneOf<unknown>(...pipeline.statuses, 'LOST', null, 3),
        reason: oneOf<unknown>(...pipeline.reasons, 7),
        paymentError: oneOf<unknown>('1', '{', 1, null),
        fail: oneOf<unknown>('inventory', 'x', 1, null),
        history: oneOf<unknown>(
          ['2026-01-02T03:04:05.678Z RECEIVED frontend'],
          [],
          ['x'],
          [1],
          [''],
          'x',
          null,
        ),
        createdAt: oneOf<unknown>(new Date(0), 'x', 0, null),
        deadlineSeconds: oneOf<unknown>(900, 'x', -1, null),
        sweepAt: oneOf<unknown>(new Date(0), null, 'x', 0),
        shard: oneOf<unknown>(0, 7, 'x', null),
        expireAt: oneOf<unknown>(new Date(0), null),
        repeats: oneOf<unknown>(1, 'x', -1),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    path: oneOf(...MESSAGE_IDS).map(
      (id) => `dead-letters/${derivedUuid('dead-letter', `frontend-sub/${id}`)}`,
    ),
    fields: fc.record(
      {
        id: oneOf<unknown>(
          ...MESSAGE_IDS.map((id) => derivedUuid('dead-letter', `frontend-sub/${id}`)),
          'x',
          1,
        ),
        status: oneOf<unknown>('parked', 'redriven', 'discarded', 'x', null),
        reason: oneOf<unknown>('x', 1, null),
        subscription: oneOf<unknown>('frontend-sub', 'x', 1, null),
        topic: oneOf<unknown>('frontend', 'x', 1, null),
        uuid: oneOf<unknown>(uuidOf(0xa0), 1),
        attributes: oneOf<unknown>([], {}, [1], [null], [{ name: 'a', value: 'b' }], [{ name: 1 }], null),
        body: oneOf<unknown>('{}', 1, null),
        encoding: oneOf<unknown>('utf8', 'base64', 'x', null),
        bodyBytes: oneOf<unknown>(2, 'x', null),
        history: oneOf<unknown>([], ['x'], {}, null),
        createdAt: oneOf<unknown>(new Date(0), 'x', null),
      },
      { requiredKeys: ['status', 'createdAt'] },
    ),
  }),
  fc.record({
    path: oneOf('users/jack', 'inventory/widget', `payments/${uuidOf(0xa0)}`),
    fields: fc.dictionary(
      oneOf('quantity', 'price_per_unit', 'credit', 'address', 'corrections'),
      wildValue.filter(isStorable),
      { minKeys: 1, maxKeys: 3 },
    ),
  }),
);

/** No list directly in a list, which no store takes. */
function isStorable(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((one) => !Array.isArray(one) && isStorable(one));
  return typeof value !== 'object' || value === null || Object.values(value).every(isStorable);
}
