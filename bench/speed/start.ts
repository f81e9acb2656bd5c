/** How long the built server takes from its start to its first answer, and what it holds in memory with nothing to do. */
import { setTimeout as wait } from 'node:timers/promises';
import { startServerProcess, type RunningServer } from '../../test/support/server-process.ts';
import type { Figure } from './figures.ts';
import { residentMegabytes } from './processes.ts';
import { progress } from './progress.ts';
import { ending } from './running.ts';
import { shown, spreadOf, type Spread } from './spread.ts';

export interface StartResult {
  firstAnswerMs: Spread;
  startedMegabytes: Spread;
  /** After `idleMs` without work. */
  idleMegabytes: Spread;
  idleMs: number;
}

/** When the server has started it still gives back what only the start has needed. */
const SETTLED_MS = 1_000;

/** @param idleMs how long a server does nothing before it counts as idle: the engine gives memory back after some ten seconds */
export async function measureStart(starts: number, idleMs: number): Promise<StartResult> {
  const [times, started, idle]: [number[], number[], number[]] = [[], [], []];
  const servers: RunningServer[] = [];
  for (let at = 0; at < starts; at += 1) {
    progress(`start ${String(at + 1)} of ${String(starts)}`);
    const begun = performance.now();
    const server = await startServerProcess({ env: { LOG_LEVEL: 'warn' }, spawned: ending });
    await (await fetch(`${server.url}/health`)).text();
    times.push(performance.now() - begun);
    await wait(SETTLED_MS);
    started.push(residentMegabytes(server.child.pid ?? 0));
    servers.push(server);
  }
  progress(`${String(starts)} servers without work for ${String(idleMs / 1000)} s`);
  await wait(idleMs);
  for (const server of servers) {
    idle.push(residentMegabytes(server.child.pid ?? 0));
    await server.stop();
  }
  progress('');
  const result = {
    firstAnswerMs: spreadOf(times),
    startedMegabytes: spreadOf(started),
    idleMegabytes: spreadOf(idle),
    idleMs,
  };
  console.log(`${startLine(result)}\n`);
  return result;
}

/** What was measured, in words. */
export function startLine({ firstAnswerMs, startedMegabytes, idleMegabytes, idleMs }: StartResult): string {
  return (
    `start to first answer: ${shown(firstAnswerMs, 0)} ms; resident: ${shown(startedMegabytes, 0)} MB when it has started, ` +
    `${shown(idleMegabytes, 0)} MB after ${String(idleMs / 1000)} s without work`
  );
}

/** What the start is to reach. */
export function startFigures({ firstAnswerMs, idleMegabytes }: StartResult): Figure[] {
  return [
    { name: 'start to first answer', limit: { most: 2_000 }, unit: 'ms', got: firstAnswerMs, digits: 0 },
    { name: 'resident, idle', limit: { most: 150 }, unit: 'MB', got: idleMegabytes, digits: 0 },
  ];
}
