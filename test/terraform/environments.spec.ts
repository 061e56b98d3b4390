import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { longTest } from '../support/thorough.ts';
import { type Body, readConfiguration, readVariables, terraformFolder } from './configuration.ts';
import { evaluate, requireTerraform } from './evaluate.ts';

describe('The environments', () => {
  const folder = new URL('environments/', terraformFolder);
  const examples = readdirSync(folder);
  const valuesOf = (file: string): Promise<Body> => readVariables(new URL(file, folder));

  it('are each a file of variables that exist, in a project of its own', async () => {
    const { variable } = await readConfiguration();
    expect(examples).to.have.members(['dev.tfvars.example', 'prod.tfvars.example']);
    const values = await Promise.all(examples.map(valuesOf));
    for (const given of values) expect(variable).to.include.keys(Object.keys(given));
    expect(new Set(values.map(({ project }) => project)).size).to.equal(examples.length);
  });

  for (const example of examples) {
    longTest(`are accepted as they stand: ${example}`, async function () {
      this.timeout(60_000);
      await requireTerraform(this);
      const made = await evaluate(await readConfiguration(), await valuesOf(example));
      expect(Object.keys(made).length).to.be.greaterThan(100);
    });
  }
});
