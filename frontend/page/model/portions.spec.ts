import { expect } from 'chai';
import { Refusal } from './api.ts';
import { doInPortions, type Portion, withQuery } from './portions.ts';

type Sent = Portion & { readonly sent: number };

describe('Work in portions', () => {
  const sentOf = (portions: readonly Sent[]) => `${portions.map(({ sent }) => sent).join(', ')} sent.`;

  it('asks for each portion by the page to which the one before led, until one leads nowhere', async () => {
    const pages = new Map<string | undefined, Sent>([
      [undefined, { sent: 100, next_page: 'b' }],
      ['b', { sent: 100, next_page: 'c' }],
      ['c', { sent: 7 }],
    ]);
    const said = await doInPortions(async (page) => pages.get(page) ?? { sent: Number.NaN }, sentOf);
    expect(said).to.equal('100, 100, 7 sent.');
  });

  it('says what was done before a portion is refused', async () => {
    const away = async (page: string | undefined): Promise<Sent> => {
      if (page === 'b') throw new Refusal(503, 'The store is away');
      return { sent: 100, next_page: 'b' };
    };
    const refusal = (await doInPortions(away, sentOf).catch((error) => error)) as Refusal;
    expect([refusal.status, refusal.message]).to.deep.equal([
      503,
      '100 sent. Then it stopped: The store is away',
    ]);
    const atOnce = (await doInPortions(() => away('b'), sentOf).catch((error) => error)) as Refusal;
    expect(atOnce.message).to.equal('The store is away');
  });

  it('comes to an end although a broken server always leads on', async () => {
    let asked = 0;
    await doInPortions(
      async () => {
        asked++;
        return { next_page: 'again' };
      },
      () => '',
    );
    expect(asked).to.equal(1_000);
  });

  it('puts only what is given into the address, escaped', () => {
    expect(withQuery('/orders', { status: '', user: undefined })).to.equal('/orders');
    expect(withQuery('/orders', { user: 'jack & jill', page: '' })).to.equal('/orders?user=jack+%26+jill');
  });
});
