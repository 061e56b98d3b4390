import { readFileSync, writeFileSync } from 'node:fs';
import { RELIABILITY, withCurrentList } from './reliability-list.ts';

/** Brings the generated list of docs/reliability.md up to date. */
writeFileSync(RELIABILITY, withCurrentList(readFileSync(RELIABILITY, 'utf8')));
