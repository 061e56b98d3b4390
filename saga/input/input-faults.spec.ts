import { expect } from 'chai';
import { z } from 'zod';
import { describeFaults, inputFaults } from './input-faults.ts';

const schema = z.strictObject({
  user: z.string(),
  size: z.enum(['small', 'large']).optional(),
  lines: z.array(z.strictObject({ item: z.string() })).optional(),
});

/** Where and what the sender is told. */
const told = (input: unknown): string[] => {
  const { error } = schema.safeParse(input, { reportInput: true });
  return error ? inputFaults(error).map(({ field, message }) => `${field} ${message}`) : [];
};

describe('What is wrong with an input', () => {
  it('is told field by field, and each unknown field alone', () => {
    expect(told({ user: 'joe', lines: [{ item: 'book' }] })).to.deep.equal([]);
    expect(told({ lines: [{ item: 'book' }, { item: 3, note: 'x' }], a: 1, b: 2 })).to.deep.equal([
      'user is missing',
      'lines[1].item Invalid input: expected string, received number',
      'lines[1].note is unknown',
      'a is unknown',
      'b is unknown',
    ]);
    expect(told({ user: 'joe', size: null })).to.deep.equal([
      'size Invalid option: expected one of "small"|"large"',
    ]);
    expect(told(undefined)).to.deep.equal(['body is missing']);
    expect(told([])).to.deep.equal(['body must be a JSON object']);
  });

  it('is one short line where it is described, in which sentences of zod begin anew', () => {
    const faults = (input: unknown) =>
      inputFaults(schema.safeParse(input, { reportInput: true }).error as z.ZodError);
    expect(describeFaults(faults({ user: 7, a: 1 }))).to.equal(
      'user: Invalid input: expected string, received number; a is unknown',
    );
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`a${n}`, n]));
    expect(describeFaults(faults(many))).to.have.length(1_000);
  });

  it('[anomaly 41] repeats no more of an unknown name than people can read', () => {
    expect(told({ user: 'joe', ['x'.repeat(129)]: 1 })).to.deep.equal([`${'x'.repeat(128)} is unknown`]);
  });
});
