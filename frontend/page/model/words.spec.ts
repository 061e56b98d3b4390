import { expect } from 'chai';
import { agoText, clockText, counted, durationText, shortId, spoken } from './words.ts';

describe('The words of the page', () => {
  it('say a duration in the unit that fits it', () => {
    const [s, min, h] = [1000, 60_000, 3_600_000];
    const said = [0, 999, 1000, 9_900, 59 * s, min, 59 * min, h, 47 * h, 48 * h].map(durationText);
    expect(said).to.deep.equal([
      '0 ms',
      '999 ms',
      '1.0 s',
      '9.9 s',
      '59 s',
      '1 min',
      '59 min',
      '1 h',
      '47 h',
      '2 days',
    ]);
  });

  it('say a moment by the clock of whoever looks', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5, 6).toISOString();
    expect([clockText(at), clockText(at, true)]).to.deep.equal(['03:04:05', '03:04:05.006']);
    expect(agoText(at, Date.parse(at) + 999)).to.equal('just now');
    expect(agoText(at, Date.parse(at) + 2000)).to.equal('2.0 s ago');
  });

  it('count one and many', () => {
    expect([counted(1, 'order'), counted(1200, 'order')]).to.deep.equal(['1 order', '1,200 orders']);
  });

  it('are those of people, not of programs', () => {
    expect([spoken('INSUFFICIENT_CREDIT'), shortId('8230dfe9-11ab')]).to.deep.equal([
      'insufficient credit',
      '8230dfe9',
    ]);
  });
});
