/**
 * Asks the built server generated and broken requests: `npm run test:fuzz -- [--requests 100000] [--seed 1]`. Each request
 * follows from the seed and its number; what must not be is printed with both, and the exit code is 1.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './run.ts';

const { values: flags } = parseArgs({
  options: { requests: { type: 'string', default: '100000' }, seed: { type: 'string' } },
});
const requests = Number(flags.requests);
const seed = flags.seed === undefined ? Date.now() % 1_000_000 : Number(flags.seed);

console.log(`${String(requests)} requests, seed ${String(seed)}`);
const began = performance.now();
const { made, byStatus, faults, figures } = await fuzz({
  requests,
  seed,
  progress: (count) => process.stderr.write(`\r${String(count)} of ${String(requests)} `),
});
process.stderr.write('\r');
console.log(
  `${String(made)} made in ${((performance.now() - began) / 1000).toFixed(0)} s; answers: ${JSON.stringify(byStatus)}`,
);
if (figures)
  console.log(
    `warm ${JSON.stringify(figures.warm)}, half ${JSON.stringify(figures.half)}, end ${JSON.stringify(figures.end)}`,
  );
for (const fault of faults) console.log(`\nFAULT ${fault}`);
if (faults.length > 0) process.exitCode = 1;
else console.log('no fault');
