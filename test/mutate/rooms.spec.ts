import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { ROOMS, scopeOf } from './rooms.ts';

const root = fileURLToPath(packageRoot);
const roomsIn = (folder: string): string[] =>
  readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [`${folder}/${entry.name}`] : [],
  );

describe('The rooms that are mutated', () => {
  it('are the kernel, the shop, the steps and the janitor', () => {
    const folders = Object.values(ROOMS).flatMap((room) => room.folders);
    const steps = pipeline.steps.map(({ name }) => name);
    expect(folders).to.have.members([...roomsIn('saga'), ...roomsIn('janitor'), 'shop', ...steps]);
  });

  it('name specs that there are', () => {
    const named = Object.values(ROOMS).flatMap(({ specs, endToEnd }) => [
      ...specs,
      ...endToEnd.map((name) => `test/end-to-end/${name}.spec.ts`),
    ]);
    expect(named.filter((path) => !existsSync(root + path))).to.deep.equal([]);
  });

  it('are those that the nightly run takes', () => {
    const nightly = readFileSync(`${root}.github/workflows/nightly.yml`, 'utf8');
    const [, rooms = ''] = /^ {8}room: \[(.+)\]$/m.exec(nightly) ?? [];
    expect(rooms.split(', ')).to.deep.equal(Object.keys(ROOMS));
  });

  it('hold a file with the specs of its room, and nothing else', () => {
    expect(scopeOf('saga/commit/batcher.ts')).to.deep.equal({
      mutate: ['saga/commit/batcher.ts', '!**/*.spec.ts'],
      specs: ['dist/saga/commit/**/*.spec.js'],
    });
    expect(scopeOf('saga/commit').mutate).to.deep.equal(['saga/commit/**/*.ts', '!**/*.spec.ts']);
    for (const path of ['frontend/routes.ts', 'sagas', 'saga/committed.ts'])
      expect(() => scopeOf(path)).to.throw(`${path} is not mutated`);
  });
});
