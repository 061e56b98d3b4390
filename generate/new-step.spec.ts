import { expect } from 'chai';
import { shopOfThree } from '../test/support/shop-of-three.ts';
import { importPlace, newStep } from './new-step.ts';

const saga = shopOfThree;

describe('A new step', () => {
  const impossible: readonly [name: string, why: string][] = [
    ...['', 'Gift', 'gift wrap', 'gift_wrap', 'gift-', 'gift--wrap', '../gift', 'step2', 'g'.repeat(26)].map(
      (name): [string, string] => [name, `"${name}" can't be the name of a step: it has small letters, and`],
    ),
    ['inventory', 'There is a service inventory already'],
    ['people', 'There is a service people already'],
    ['push', 'There is a service push already'],
    ['users', 'There is a collection users already'],
    ['sagas', 'There is a collection sagas already'],
    ['dead-letters', 'There is a collection dead-letters already'],
  ];
  for (const [name, why] of impossible) {
    it(`can't be called ${JSON.stringify(name)}`, () => {
      expect(() => newStep(saga, name)).to.throw(why);
    });
  }

  it('takes no status, topic or kind of document that another step has', () => {
    const [step] = saga.steps;
    if (step === undefined) throw new Error('The saga has no steps');
    const asIf = (more: object) => () => newStep({ ...saga, ...more }, 'gift');
    expect(asIf({ statuses: ['GIFT_DONE'], topicOf: () => 'x' })).to.throw(
      'There is a status GIFT_DONE already',
    );
    expect(asIf({ steps: [{ ...step, announces: 'gift-done' }] })).to.throw(
      'There is a topic gift-done already',
    );
    expect(asIf({ kinds: [{ ...saga.kinds[0], name: 'gift record' }] })).to.throw(
      'There is a kind of document gift record already',
    );
  });

  it('is imported where the check of the project wants it: folder by folder', () => {
    const source = ['order/create-order', 'saga/step/saga']
      .map((path) => `import { one } from './${path}.ts';\n`)
      .join('');
    const placeOf = (name: string) => importPlace(source, newStep(saga, name).importing);
    expect(placeOf('gift')).to.equal('above all others');
    expect(placeOf('order-x')).to.equal("below the one from './order/create-order.ts'");
    expect(placeOf('wrapping')).to.equal("below the one from './saga/step/saga.ts'");
  });

  it('gets the imports of its own files in that order, too', () => {
    for (const [name, first] of [
      ['gift', './gift-records.ts'],
      ['wrapping', './routes.ts'],
    ] as const) {
      const text = newStep(saga, name).files[`${name}-step.ts`] ?? '';
      expect(/from '(\.\/[^']+)'/.exec(text)?.[1]).to.equal(first);
    }
  });
});
