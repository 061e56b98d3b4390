import { pipeline } from '../../pipeline.ts';
import type { ChaosReport } from './run.ts';

/** A run in words and numbers, line by line. */
export function summaryOf(report: ChaosReport): string[] {
  const { book, world, faults, lost, wrong, repeats } = report;
  const ledgers = [...world.ledgers.values()];
  const reasons = countsOf(
    ledgers.flatMap(({ status, reason }) => (status === 'CANCELED' ? [`${reason}`] : [])),
  );
  const waited = ledgers.filter(({ history }) => history.some((line) => line.includes(' WAITING ')));
  const words = countsOf(waited.map(({ heard }) => heard?.inventory?.word ?? 'no word'));
  const answers = [...book.answers].map(([status, count]) => `${count} x ${status || 'no answer'}`);
  const terminations = faults.terminations.map(({ service, durationMs }) => `${service} ${durationMs} ms`);
  return [
    `placed:        ${book.posts} (answers: ${answers.join(', ')}), accepted: ${book.accepted.size} orders`,
    `ledgers:       ${ledgers.length}, of them ${pipeline.success}: ${ledgers.filter(({ status }) => status === pipeline.success).length}`,
    ...Object.entries(reasons).map(([reason, count]) => `               CANCELED ${reason}: ${count}`),
    `cancellations: ${book.canceled.size} accepted`,
    `orchestrated:  ${ledgers.filter(({ mode }) => mode === 'orchestration').length}`,
    `waited:        ${waited.length}${Object.entries(words)
      .map(([word, count]) => `, ${word}: ${count}`)
      .join('')}`,
    `faults:        ${faults.kills} SIGKILL, ${faults.repeated} messages repeated by hand`,
    `SIGTERM:       ${terminations.join(', ') || 'none'}`,
    `duplicates:    ${report.idleDeliveries} deliveries found nothing to do`,
    `repeats:       ${repeats} ledgers announced again`,
    `audits:        ${faults.audits} in the midst of it, and one at the end`,
    `dead letters:  ${world.deadLetters.size}`,
    `recovery:      ${report.recoverySeconds.toFixed(1)} s after the last order and fault; the whole run took ${report.seconds.toFixed(0)} s`,
    ...[...lost, ...wrong].map((fault) => `  ${fault}`),
    `${lost.length} lost, ${wrong.length} wrong`,
  ];
}

function countsOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
