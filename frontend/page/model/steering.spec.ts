import { expect } from 'chai';
import { steeredText, sweptText } from './steering.ts';

describe('What steering did, in words', () => {
  it('adds up all portions, and leaves out what did not happen', () => {
    const none = { untouched: 0, failed: 0 };
    expect(
      steeredText(
        [
          { steered: 1_000, ...none },
          { steered: 12, ...none },
        ],
        'paused',
      ),
    ).to.equal('1,012 orders paused');
  });

  it('says which orders were not steered, and of which it is not known', () => {
    expect(steeredText([{ steered: 1, untouched: 2, failed: 1 }], 'resumed')).to.equal(
      '1 order resumed; 2 orders could not be, such as those that have ended; ' +
        '1 order may or may not be: the store did not answer',
    );
  });

  it('says what a sweep moved, or that nothing stood still', () => {
    expect(sweptText({ announced: 3, failed: 1, errors: 0 })).to.equal(
      '3 orders announced again, 1 order given up, because time was up',
    );
    expect(sweptText({ announced: 0, failed: 0, errors: 0 })).to.equal(
      'No order had stood still for long enough to be moved on',
    );
  });
});
