import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Removes compiled files whose source is gone, so that no deleted test runs. All other files stay, because a stack that runs
 * from the same folder must be able to restart its services at any time.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
for (const path of readdirSync(`${root}/dist`, { recursive: true, encoding: 'utf8' })) {
  const source = /^(.*)\.js(\.map)?$/.exec(path)?.[1];
  // The bundle of the web page has no source of its own name. Other programs work in hidden folders: the mutation run keeps a
  // copy of the project there, with a link to node_modules.
  const isOurs = !path.startsWith('.') && !path.startsWith('frontend/public/');
  if (source !== undefined && isOurs && !existsSync(`${root}/${source}.ts`)) rmSync(`${root}/dist/${path}`);
}
