import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { readersOf, topologyOf } from '../../saga/deliver/topology.ts';
import { longTest } from '../support/thorough.ts';
import { type Body, readConfiguration } from './configuration.ts';
import { REQUIRED } from './deployments.ts';
import { evaluate, type Resources, requireTerraform } from './evaluate.ts';

describe('A switch between push and pull', () => {
  const [reader = ''] = readersOf(topologyOf(pipeline));
  before(async function () {
    await requireTerraform(this);
  });

  const isRight = (address: string) => /_iam_(member|binding)\b/.test(address);
  const rightsIn = (resources: Resources) => only(resources, isRight);
  const othersIn = (resources: Resources) => only(resources, (address) => !isRight(address));
  const only = (resources: Resources, isMeant: (address: string) => boolean): Record<string, Body> =>
    Object.fromEntries(Object.entries(resources).filter(([address]) => isMeant(address)));

  longTest(
    'finds its rights there, because an apply before it adds them and changes nothing else; and it deletes nothing that is protected',
    async function () {
      this.timeout(180_000);
      const configuration = await readConfiguration();
      const made = (subscriber: string, switching: boolean) =>
        evaluate(configuration, { ...REQUIRED, functions: [reader], subscriber, switching });
      const [push, pull, pushStill, pullStill] = await Promise.all([
        made('push', false),
        made('pull', false),
        made('push', true),
        made('pull', true),
      ]);
      const both = { ...rightsIn(push), ...rightsIn(pull) };
      expect(Object.keys(both)).to.have.length.above(Object.keys(rightsIn(push)).length);
      expect(Object.keys(both)).to.have.length.above(Object.keys(rightsIn(pull)).length);
      for (const [before, prepared] of [
        [push, pushStill],
        [pull, pullStill],
      ] as const) {
        expect(rightsIn(prepared)).to.deep.equal(both);
        expect(othersIn(prepared)).to.deep.equal(othersIn(before));
      }
      // The provider deletes nothing that is protected.
      for (const [address, one] of [...Object.entries(push), ...Object.entries(pull)]) {
        if (address in push && address in pull) continue;
        expect(one.deletion_protection, address).to.not.equal(true);
      }
    },
  );
});
