import { writeFileSync } from 'node:fs';
import { ANOMALIES_PAGE, anomalyDocument } from './anomaly-list.ts';

/** Brings docs/anomalies.md up to date. */
writeFileSync(ANOMALIES_PAGE, anomalyDocument());
