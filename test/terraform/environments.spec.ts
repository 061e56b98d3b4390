import { readdirSync, readFileSync } from 'node:fs';
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

  it('have their state in a bucket that only `init` names', () => {
    const backend = readFileSync(new URL('backend.tf.example', terraformFolder), 'utf8');
    expect(backend).to.match(/^ {2}backend "gcs" \{\n {4}prefix = "order-saga"\n {2}\}$/m);
    const guide = readFileSync(new URL('README.md', terraformFolder), 'utf8');
    const inits = guide.match(/terraform -chdir=infra\/terraform init -.*/g) ?? [];
    expect(inits).to.have.length(2);
    for (const command of inits) expect(command).to.match(/ -backend-config=bucket=\S+-order-saga-state$/);
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
