import { openDurableStore } from '../../adapters/memory/durable-store.ts';
import type { Path } from '../../saga/ports/store.ts';

/**
 * Commits the next number to a few documents again and again, several commits at once, and says which of them have returned.
 * A spec kills it, or lets the disk be full.
 * Usage: node constant-writer.js FOLDER
 */
const [folder = ''] = process.argv.slice(2);
const WRITERS = 4;
const print = (line: string) => process.stdout.write(`${line}\n`);

const store = await openDurableStore(folder);

async function writeOn(writer: number): Promise<void> {
  const paths: Path[] = Array.from({ length: 5 }, (_, index) => `writer-${writer}/${index}`);
  for (;;) {
    const found = await store.read(paths);
    const n = ((found.get(paths[0] ?? '')?.fields as { n: number } | undefined)?.n ?? 0) + 1;
    const fields = { n, at: new Date(n), filling: 'x'.repeat(500) };
    await store.commit(
      paths.map((path) => {
        const version = found.get(path)?.version;
        return version === undefined
          ? { kind: 'create', path, fields }
          : { kind: 'update', path, fields, version };
      }),
    );
    print(`${writer} ${n}`);
  }
}

try {
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeOn(writer)));
} catch (error) {
  print(`${(error as { kind?: string }).kind}: ${(error as Error).message}`);
  process.exit(1);
}
