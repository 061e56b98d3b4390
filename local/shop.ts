import { readFileSync } from 'node:fs';
import { type Data, parseData } from '../data-init/load-data.ts';
import { pipeline } from '../pipeline.ts';
import { packageRoot } from '../programs/config.ts';

/** What the shop has before its first order. */
export function shopData(): Data {
  const file = new URL('data-init/data.json', packageRoot);
  return parseData(pipeline, readFileSync(file, 'utf8'), file.pathname);
}

/** Tells you where the shop runs, and how to order there. */
export const greeting = (url: string, engine: string): string => `
The pipeline runs on ${url}, on ${engine}

  curl -X POST ${url}/order -H 'Content-Type: application/json' \\
    -d '{"item":"widget","quantity":2,"user":"jack"}'
`;
