import { expect } from 'chai';
import { Webhook as Verifier } from 'standardwebhooks';
import { pipeline } from '../pipeline.ts';
import { messageFor, snapshot } from '../saga/deliver/message.ts';
import { aLedgerThatIs, LATER, NOW, TRACE, UUID } from '../test/support/builders.ts';
import { hasComeTo, notificationFor, verdictOn } from './notification.ts';
import type { Webhook } from './settings.ts';

const WEBHOOK: Webhook = {
  url: 'https://shop.example/orders',
  secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  timeoutMs: 300,
};

describe('A notification', () => {
  const ENDS = [pipeline.success, 'CANCELED'] as const;

  for (const status of ENDS) {
    it(`says of an order that is ${status} what the message says, under the same id`, () => {
      const ledger = aLedgerThatIs(status, { trace: TRACE });
      const { 'webhook-signature': signature, ...headers } = notificationFor(
        pipeline,
        ledger,
        WEBHOOK,
        LATER,
      ).headers;
      const topic = pipeline.topicOf(status);
      expect(headers).to.deep.equal({
        'content-type': 'application/json',
        'webhook-id': `${UUID}/${topic}`,
        'webhook-timestamp': String(Math.floor(LATER.getTime() / 1000)),
      });
      expect(headers['webhook-id']).to.equal(messageFor(pipeline, ledger).attributes['ce-id']);
      const { url, timeoutMs, body } = notificationFor(pipeline, ledger, WEBHOOK, LATER);
      expect({ url, timeoutMs }).to.deep.equal({ url: WEBHOOK.url, timeoutMs: 300 });
      expect(JSON.parse(body)).to.deep.equal({
        type: `order-saga.${topic}`,
        timestamp: NOW.toISOString(),
        data: JSON.parse(JSON.stringify(snapshot(pipeline, ledger))),
      });
      expect(signature).to.match(/^v1,[A-Za-z0-9+/]{43}=$/);
    });
  }

  // The library's own check looks at the clock, so here the signature is compared.
  it('is signed with id, moment and body, as the specification says', () => {
    const { headers, body } = notificationFor(pipeline, aLedgerThatIs('CANCELED'), WEBHOOK, LATER);
    const sign = (secret: string, id = headers['webhook-id'] ?? '', at = LATER, text = body) =>
      new Verifier(secret).sign(id, at, text);
    expect(headers['webhook-signature']).to.equal(sign(WEBHOOK.secret));
    const others = [
      sign(`whsec_${Buffer.alloc(32, 8).toString('base64')}`),
      sign(WEBHOOK.secret, 'another'),
      sign(WEBHOOK.secret, undefined, NOW),
      sign(WEBHOOK.secret, undefined, LATER, `${body} `),
    ];
    expect(others).to.not.include(headers['webhook-signature']);
  });

  it('is the same at a repeat, but for the moment and the signature', () => {
    const [first, second] = [NOW, LATER].map((at) => {
      const { headers, ...rest } = notificationFor(pipeline, aLedgerThatIs('CANCELED'), WEBHOOK, at);
      const { 'webhook-timestamp': _, 'webhook-signature': __, ...same } = headers;
      return { ...rest, headers: same };
    });
    expect(first).to.deep.equal(second);
  });

  it('is due at the two ends of an order alone, each announced by its own topic', () => {
    const due = pipeline.statuses.flatMap((status) =>
      pipeline.statuses
        .filter((other) => hasComeTo(pipeline, aLedgerThatIs(status), pipeline.topicOf(other)))
        .map((other) => [status, other]),
    );
    expect(due).to.deep.equal(ENDS.map((status) => [status, status]));
  });

  it('[anomaly 25] has arrived with an answer of 2xx only, and is unwanted with 410', () => {
    const verdicts = [200, 202, 204, 299, 410, 199, 300, 302, 308, 400, 404, 409, 429, 500, 503].map(
      (status) => [status, verdictOn(status)],
    );
    const told = verdicts.filter(([, verdict]) => verdict === 'notified').map(([status]) => status);
    expect(told).to.deep.equal([200, 202, 204, 299]);
    expect(verdicts.filter(([, verdict]) => verdict === 'unwanted')).to.deep.equal([[410, 'unwanted']]);
  });
});
