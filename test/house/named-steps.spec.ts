import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';

/**
 * A document that lists the steps is wrong with the next one, and nobody notices. So what is written by hand names a step as
 * an example; a list of them is generated.
 */

/** These may name all steps. */
const MAY_LIST: Readonly<Record<string, string>> = {
  'CONTRIBUTING.md': 'shows what a step says by the steps that the shop comes with',
  'docs/anomalies.md': 'is written from the titles of tests',
  'docs/operations/new-step.md': 'shows where a step may go by the steps that the shop comes with',
};
/** Past decisions stay as they were. */
const HISTORY = 'docs/decisions/';

const documents = readdirSync(fileURLToPath(packageRoot), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md') && !/^(node_modules|dist|\.git)\b/.test(file))
  .filter((file) => !file.startsWith(HISTORY) && !(file in MAY_LIST));

/** Where a document names all steps or all but one, by hand: what is wrong, in a sentence. */
function listFault(file: string, text: string, steps: readonly string[]): string | undefined {
  const byHand = text.replaceAll(/<!-- generated: [\s\S]*?<!-- end -->/g, '');
  // A step may have the name of a common word. Only where a sentence has most of them is it a list.
  const lacks = byHand.split(/(?<=[.:;])\s|\n\s*\n|\|/).map((sentence) =>
    // Not as a part of a path, a topic or a subscription.
    steps.filter((step) => !new RegExp(`(?<![\\w/-])${step}(?![\\w/-])`).test(sentence)),
  );
  const missing = lacks.find((one) => one.length <= 1 && steps.length - one.length >= 3);
  if (missing === undefined) return undefined;
  const lack = missing.length === 0 ? 'all steps' : `all steps but ${missing[0]}`;
  return `${file} names ${lack}: word it so that it is true with any steps, or generate that part (generate/)`;
}

describe('A document that is written by hand', () => {
  const steps = pipeline.steps.map(({ name }) => name);

  it('does not list the steps', () => {
    expect(documents).to.include.members(['README.md', 'docs/architecture.md']);
    const faults = documents.flatMap(
      (file) => listFault(file, readFileSync(new URL(file, packageRoot), 'utf8'), steps) ?? [],
    );
    expect(faults).to.deep.equal([]);
  });

  it('would be found if it did, or if it lacked the newest one', () => {
    const names = ['order', 'gift', 'stock', 'bank'];
    const text = 'The services are `order`, stock and bank.\n<!-- generated: x -->\ngift\n<!-- end -->';
    expect(listFault('x.md', text, names)).to.match(/^x\.md names all steps but gift: /);
    expect(listFault('x.md', 'order, stock, bank and gift', names)).to.match(/^x\.md names all steps: /);
    expect(listFault('x.md', 'order and stock/, bank-sub', names)).to.equal(undefined);
  });
});
