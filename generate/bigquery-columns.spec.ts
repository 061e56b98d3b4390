import { expect } from 'chai';
import { z } from 'zod';
import { pipeline } from '../pipeline.ts';
import { bigqueryColumns } from './bigquery-columns.ts';

/** The columns of a message that shows these fields of an order, without those that every message has. */
const columnsOf = (shown: z.ZodRawShape) => {
  const columns = bigqueryColumns({ ...pipeline, order: { ...pipeline.order, shown } });
  const every = new Set(
    bigqueryColumns({ ...pipeline, order: { ...pipeline.order, shown: {} } }).map(({ name }) => name),
  );
  return columns.filter(({ name }) => !every.has(name));
};
const nullable = (name: string, type: string) => ({ name, type, mode: 'NULLABLE' });

describe('The columns of a table of events', () => {
  it('have the types of the fields', () => {
    const fields = {
      text: z.string(),
      word: z.enum(['a', 'b']),
      same: z.literal('a').optional(),
      count: z.int(),
      share: z.number(),
      yes: z.boolean(),
    };
    expect(columnsOf(fields)).to.deep.equal([
      nullable('text', 'STRING'),
      nullable('word', 'STRING'),
      nullable('same', 'STRING'),
      nullable('count', 'INTEGER'),
      nullable('share', 'FLOAT'),
      nullable('yes', 'BOOLEAN'),
    ]);
  });

  it('repeat where a field is a list, and nest where it is an object', () => {
    const parts = z.array(z.object({ sizes: z.array(z.int()), 'no-column': z.string() }));
    expect(columnsOf({ parts })).to.deep.equal([
      {
        name: 'parts',
        type: 'RECORD',
        mode: 'REPEATED',
        fields: [{ name: 'sizes', type: 'INTEGER', mode: 'REPEATED' }],
      },
    ]);
  });

  it('leave out a field whose name Pub/Sub can not write', () => {
    expect(columnsOf({ 'payment-error': z.unknown(), '1st': z.string(), größe: z.int() })).to.deep.equal([]);
  });

  it('are none where a field has no type, or a list is in a list: that must be decided by a person', () => {
    for (const wrong of [z.unknown(), z.union([z.string(), z.int()]), z.array(z.array(z.int()))])
      expect(() => columnsOf({ wrong })).to.throw('wrong of a message has no type that a column can have');
  });
});
