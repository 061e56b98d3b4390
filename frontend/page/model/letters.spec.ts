import { expect } from 'chai';
import { bodyText, redrivenText } from './letters.ts';

describe('Dead letters on the page', () => {
  it('indents a body of JSON, and leaves any other as it came', () => {
    expect(bodyText({ body: '{"uuid":"1"}', encoding: 'utf8' })).to.equal('{\n  "uuid": "1"\n}');
    expect(bodyText({ body: '{"uuid":', encoding: 'utf8' })).to.equal('{"uuid":');
    expect(bodyText({ body: 'MTIz', encoding: 'base64' })).to.equal('MTIz');
  });

  it('adds up what a redrive did in all its portions', () => {
    const portions = [
      { sent: 100, refused: [], failed: [] },
      { sent: 1_900, refused: [], failed: [] },
    ];
    expect(redrivenText(portions)).to.equal('2,000 letters sent.');
  });

  it('says why letters stayed, each reason once, and not all of very many', () => {
    const stayed = (id: string, detail: string) => ({ id, detail });
    const portion = {
      sent: 1,
      refused: [stayed('a', 'Its topic is unknown.'), stayed('b', 'Its topic is unknown.')],
      failed: ['one', 'two', 'three', 'four'].map((detail) => stayed(detail, detail)),
    };
    expect(redrivenText([portion])).to.equal(
      '1 letter sent. 2 letters can’t be sent: Its topic is unknown. ' +
        '4 letters could not be sent now: one; two; three; and 1 other reason.',
    );
  });
});
