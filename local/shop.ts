import { readFileSync } from 'node:fs';
import { type Data, parseData } from '../data-init/load-data.ts';
import { pipeline } from '../pipeline.ts';
import { packageRoot } from '../programs/config.ts';

/** What the shop has before its first order. */
export function shopData(): Data {
  const file = new URL('data-init/data.json', packageRoot);
  return parseData(pipeline, readFileSync(file, 'utf8'), file.pathname);
}

/** Tells you where the shop runs, and how to order there and look at the order. */
export const greeting = (url: string, engine: string): string => `
The pipeline runs on ${url}, on ${engine}

Open ${url}/ in a browser, or order in another terminal, and see what became of it:

  ORDER=$(curl -s -X POST ${url}/order -H 'Content-Type: application/json' \\
    -d '{"item":"widget","quantity":2,"user":"jack"}' | sed 's/.*"uuid":"\\([^"]*\\).*/\\1/')
  curl -s ${url}/order/$ORDER

npm run saga -- show $ORDER and npm run doctor find this stack by themselves.
`;
