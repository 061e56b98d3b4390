import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { inTemporaryFolder } from '../../test/support/temporary-folder.ts';
import { openDisk } from './disk.ts';
import { makeFolder } from './make-folder.ts';

describe('A folder', () => {
  it('is made with those above it, and may be there already', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a', 'b');
      makeFolder(path);
      makeFolder(path);
      expect(statSync(path).isDirectory()).to.equal(true);
    }));

  it('is not made where something else is', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a');
      writeFileSync(path, '');
      expect(() => makeFolder(path)).to.throw('EEXIST');
    }));

  it('that can not be made is said to be that, also where its parent is there and takes none', async () => {
    const path = '/proc/x/engine';
    expect(() => makeFolder(path)).to.throw("mkdir '/proc");
    for (const how of ['open', 'fresh'] as const) {
      const error = await openDisk(path, { how }).catch((error: unknown) => error);
      expect(error).to.have.property('message').that.contains(`${path} can't be used for data`);
    }
  });
});
