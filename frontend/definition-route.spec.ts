import { expect } from 'chai';
import { trip } from '../examples/trip/trip.ts';
import { pipeline } from '../pipeline.ts';
import { definitionOf, definitionSchema } from './definition-route.ts';

describe('The definition of a saga', () => {
  it('has all that a picture needs, of any saga', () => {
    for (const saga of [pipeline, trip]) {
      const definition = definitionOf(saga);
      expect(definitionSchema(saga).parse(definition)).to.deep.equal(definition);
      expect(definition.groups.map((group) => group.map(({ name }) => name))).to.deep.equal(
        saga.groups.map((group) => group.map(({ name }) => name)),
      );
    }
  });

  it('says for which words a step waits, what each carries, and who may say them', () => {
    const waits = definitionOf(pipeline)
      .groups.flat()
      .flatMap(({ name, waits }) => (waits ? [[name, waits.operators, waits.words]] : []));
    expect(waits).to.deep.equal([
      [
        'inventory',
        false,
        [
          { word: 'approve', carries: [] },
          { word: 'amend', carries: ['items'] },
        ],
      ],
      [
        'delivery',
        true,
        [
          { word: 'delivered', carries: [] },
          { word: 'canceled', carries: [] },
        ],
      ],
    ]);
  });

  it('says from which statuses a fork can begin: those that a step follows', () => {
    const { forkable, success } = definitionOf(pipeline);
    expect(forkable).to.include.members(['RECEIVED', 'CREATED']).and.not.include(success);
    expect(forkable).not.to.include.members(['FAILING', 'CANCELED', 'PAUSED', 'DELIVERING']);
  });

  it('says which ends nothing leaves', () => {
    expect([pipeline, trip].map((saga) => definitionOf(saga).final)).to.deep.equal([
      ['DELIVERED', 'CANCELED'],
      ['CANCELED'],
    ]);
  });

  it('names who takes orders in and who gives back what a failed one holds', () => {
    const { entry, failure } = definitionOf(pipeline);
    expect([entry.service, failure.service]).to.deep.equal(['frontend', 'janitor']);
  });
});
