/**
 * How long the built server takes from its start to its first answer, and what it holds in memory when idle.
 *
 *   npm run build && npm run bench:start -- [starts, 5 by default]
 */
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { startServerProcess } from '../test/support/server-process.ts';

const starts = Number.parseInt(process.argv[2] ?? '5', 10);
const times: number[] = [];
const sizes: number[] = [];
for (let at = 0; at < starts; at += 1) {
  const begun = performance.now();
  const server = await startServerProcess({ env: { LOG_LEVEL: 'warn' } });
  await (await fetch(`${server.url}/health`)).text();
  times.push(performance.now() - begun);
  await new Promise((done) => setTimeout(done, 1_000));
  const status = await readFile(`/proc/${String(server.child.pid)}/status`, 'utf8').catch(() => '');
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(status) ?? [];
  sizes.push(Number(kilobytes) / 1024);
  await server.stop();
  process.stderr.write(`\r${String(at + 1)} of ${String(starts)} starts`);
}
process.stderr.write('\n');
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
console.log(
  `start to first answer: median ${median(times).toFixed(0)} ms, slowest ${Math.max(...times).toFixed(0)} ms`,
);
console.log(`resident when idle: ${median(sizes).toFixed(0)} MB (Linux; 0 elsewhere)`);
