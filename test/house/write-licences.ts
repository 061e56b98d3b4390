import { writeFileSync } from 'node:fs';
import { LICENCES, licenceDocument } from './licence-list.ts';

/** Brings docs/licences.md up to date. */
writeFileSync(LICENCES, licenceDocument());
