/**
 * How long the built server takes from its start to its first answer, and what it holds in memory: right after the start,
 * and when it has been idle for a while (the engine gives memory back some ten seconds after the last work).
 *
 *   npm run build && npm run bench:start -- [starts, 5 by default]
 */
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { startServerProcess } from '../test/support/server-process.ts';

const starts = Number.parseInt(process.argv[2] ?? '5', 10);
const times: number[] = [];
const sizes: Record<'started' | 'idle', number[]> = { started: [], idle: [] };
/** How long a server does nothing before it counts as idle, in milliseconds. */
const IDLE_MS = 20_000;

async function residentMegabytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '');
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(status) ?? [];
  return Number(kilobytes) / 1024;
}

for (let at = 0; at < starts; at += 1) {
  const begun = performance.now();
  const server = await startServerProcess({ env: { LOG_LEVEL: 'warn' } });
  await (await fetch(`${server.url}/health`)).text();
  times.push(performance.now() - begun);
  await wait(1_000);
  sizes.started.push(await residentMegabytes(server.child.pid));
  await wait(IDLE_MS);
  sizes.idle.push(await residentMegabytes(server.child.pid));
  await server.stop();
  process.stderr.write(`\r${String(at + 1)} of ${String(starts)} starts`);
}
process.stderr.write('\n');
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
console.log(
  `start to first answer: median ${median(times).toFixed(0)} ms, slowest ${Math.max(...times).toFixed(0)} ms`,
);
console.log(
  `resident: ${median(sizes.started).toFixed(0)} MB when it has started, ${median(sizes.idle).toFixed(0)} MB after ` +
    `${String(IDLE_MS / 1000)} s without work (Linux; 0 elsewhere)`,
);
