/**
 * Keeps the built server under mixed load while its upstream fails, its clients hang up and it is killed again and again,
 * and then looks whether anything that was acknowledged is missing: `npm run test:soak -- [--minutes 10] [--seed 1]`.
 * What must not be is printed, and the exit code is 1.
 */
import { parseArgs } from 'node:util';
import { soak } from './run.ts';

const { values: flags } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const seconds = Number(flags.minutes) * 60;
const seed = flags.seed === undefined ? Date.now() % 1_000_000 : Number(flags.seed);

console.log(`${String(seconds)} seconds, seed ${String(seed)}`);
const { faults, counts, kills, checked, figures } = await soak({
  seconds,
  seed,
  progress: (what) => process.stderr.write(`${(performance.now() / 1000).toFixed(0)} s: ${what}\n`),
});
console.log(`killed ${String(kills)} times; what clients met: ${JSON.stringify(counts)}`);
console.log(
  `held against the record: ${String(checked.sessions)} sessions with ${String(checked.turns)} turns`,
);
for (const figure of figures) console.log(`at rest: ${JSON.stringify(figure)}`);
for (const fault of faults.slice(0, 30)) console.log(`FAULT ${fault}`);
if (faults.length > 0) process.exitCode = 1;
else console.log('no fault');
