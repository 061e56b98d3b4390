import { writeFileSync } from 'node:fs';
import { FEATURES_PAGE, featureDocument } from './feature-list.ts';

/** Brings docs/features.md up to date. */
writeFileSync(FEATURES_PAGE, featureDocument());
