import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { packageRoot } from '../../adapters/config.ts';
import { all, type Deployments, deployments } from './deployments.ts';

describe('The database that Terraform makes', () => {
  let deployed: Deployments;
  before(async function () {
    deployed = await deployments(this);
  });
  it('makes the indexes, the exemptions and the expiry that the code is tested with', () => {
    const { indexes, fieldOverrides } = JSON.parse(
      readFileSync(new URL('infra/firestore.indexes.json', packageRoot), 'utf8'),
    ) as {
      indexes: {
        collectionGroup: string;
        queryScope: string;
        fields: { fieldPath: string; order: string }[];
      }[];
      fieldOverrides: { collectionGroup: string; fieldPath: string; indexes: unknown[]; ttl?: boolean }[];
    };
    for (const { fields } of indexes) {
      const [before, last] = fields.slice(-2);
      expect(last, 'what Firestore adds by itself').to.deep.equal({
        fieldPath: '__name__',
        order: before?.order,
      });
    }
    const made = Object.values(all(deployed.byDefault, 'google_firestore_index.index')).map(
      ({ collection, query_scope: queryScope, fields }) => ({
        collectionGroup: collection,
        queryScope,
        fields,
      }),
    );
    expect(made).to.have.deep.members(
      indexes.map((index) => ({
        ...index,
        fields: index.fields.slice(0, -1).map(({ fieldPath, order }) => ({ field_path: fieldPath, order })),
      })),
    );
    const overridden = Object.values(all(deployed.byDefault, 'google_firestore_field.field')).map(
      ({ collection, field, index_config: config, ttl_config: ttl }) => [collection, field, config, ttl],
    );
    expect(overridden).to.have.deep.members(
      fieldOverrides.map(({ collectionGroup, fieldPath, ttl }) => [
        collectionGroup,
        fieldPath,
        [{ indexes: [] }],
        ttl ? [{}] : [],
      ]),
    );
  });
});
