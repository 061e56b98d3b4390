import { expect } from 'chai';
import { googleOfSuite } from './google.ts';

describe('The shared state, with a stand-in for Terraform', function () {
  this.timeout(60_000);
  const { fresh } = googleOfSuite();
  const FILE = 'infra/terraform/backend_override.tf';

  it('is led to its bucket by a file that Git ignores', async () => {
    const google = await fresh();
    const { code } = await google.run(['infra/use-shared-state', 'a-bucket']);
    expect([code, google.text(FILE)]).to.deep.equal([0, 'terraform {\n  backend "gcs" {}\n}\n']);
    expect(google.calls().filter((call) => call.startsWith('terraform'))).to.deep.equal([
      'terraform -chdir=infra/terraform init -backend-config=bucket=a-bucket -backend-config=prefix=order-saga',
    ]);
  });

  it('is not touched where no bucket is named, or more than one', async () => {
    const google = await fresh();
    for (const buckets of [[], ['a-bucket', 'another'], [''], ['-x'], ['a b']]) {
      const { code, said } = await google.run(['infra/use-shared-state', ...buckets]);
      expect([code, said]).to.deep.equal([2, 'Usage: infra/use-shared-state BUCKET\n']);
    }
    expect([google.text(FILE), google.calls()]).to.deep.equal([undefined, []]);
  });

  it('is left as it was where Terraform does not get there', async () => {
    const faults = [{ call: 'terraform', says: 'Error: no credentials', times: 1 }];
    const google = await fresh({ faults });
    const { code } = await google.run(['infra/use-shared-state', 'a-bucket']);
    expect([code, google.text(FILE)]).to.deep.equal([1, undefined]);
  });
});
