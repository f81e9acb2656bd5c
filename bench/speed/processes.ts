import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Load, LoadResult } from './client.ts';
import { ending } from './running.ts';

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const TICK_US = 10_000;

export interface Helper {
  child: ChildProcess;
  port: number;
}

/** Starts a script of this folder and waits until it has sent its port. */
export async function startHelper(script: string, ...args: string[]): Promise<Helper> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    execArgv: ['--import', 'tsx'],
  });
  ending(() => child.kill());
  const { port } = (await messageOf(child)) as { port: number };
  return { child, port };
}

/** What it says next. @throws Error when it ends instead */
async function messageOf(child: ChildProcess): Promise<unknown> {
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]: unknown[]) => message),
      once(child, 'exit', { signal }).then(() => {
        throw new Error('A process of the benchmark has ended too early.');
      }),
    ]);
  } finally {
    waiting.abort();
  }
}

/** Has the client's process do it. @throws Error when an answer was no 200 */
export async function ask(client: ChildProcess, load: Load): Promise<LoadResult> {
  client.send(load);
  const { result, error } = (await messageOf(client)) as { result?: LoadResult; error?: string };
  if (!result) throw new Error(error ?? 'no result');
  if (Object.keys(result.failures).length > 0) {
    throw new Error(`${load.path} on port ${String(load.port)} answered ${JSON.stringify(result.failures)}`);
  }
  return result;
}

/** Processor time of a process and its threads, in microseconds. @throws Error when there is no such process */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
  // The name in brackets may hold spaces. User and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Memory that a process holds, in megabytes. @throws Error when there is no such process */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
