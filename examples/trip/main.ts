import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ledgerPath, readOne, takeAudit } from 'order-saga';
import { runProcess, startLocally } from 'order-saga/host';
import { DATA, trip } from './trip.ts';

/** Three trips; the last one finds the hotel full. Run it with `npm run trip`, or on Google's emulators: `npm run trip -- --emulators`. */
await runProcess(async (end) => {
  const { emulators } = parseArgs({ options: { emulators: { type: 'boolean', default: false } } }).values;
  const local = await startLocally(trip, DATA, { onEmulators: emulators, end });
  const { store, bus } = local.ports;
  for (const traveler of ['ann', 'bob', 'cyd']) {
    const uuid = randomUUID();
    const wish = { uuid, traveler, flight: 'LH1', hotel: 'Ritz', car: 'small', seats: 1 };
    await bus.publish([{ topic: trip.entry.topic, data: Buffer.from(JSON.stringify(wish)), attributes: {} }]);
    let ledger = await readOne(store, ledgerPath(uuid));
    while (ledger?.sweepAt !== null) {
      await pause(20);
      ledger = await readOne(store, ledgerPath(uuid));
    }
    console.log(`${traveler}: ${ledger.status}${ledger.detail === undefined ? '' : ` (${ledger.detail})`}`);
  }
  console.log(`The audit found ${(await takeAudit(trip, local.ports)).violationCount} violations`);
  // The process ends as it does at SIGTERM.
  process.kill(process.pid, 'SIGTERM');
  return local;
});
