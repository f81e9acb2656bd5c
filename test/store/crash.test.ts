import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { temporaryFolder } from './implementations.ts';

const KILLS = 100;
const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

interface Acknowledged {
  conversationId: string;
  turnNumber: number;
  turnId: string;
}

/** The appender as plain JavaScript, so that a hundred starts take seconds: one built file, and the store's thread. */
async function buildAppender(): Promise<string> {
  const cache = join(projectRoot, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'ccc-crash-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  await build({
    absWorkingDir: projectRoot,
    entryPoints: ['test/store/crash/appender.ts', 'src/store/sqlite/worker.ts'],
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'error',
  });
  return folder;
}

/**
 * Runs the appender and kills it without warning: after `afterFirst` milliseconds of appending, or, when that is
 * null, `afterStart` milliseconds after its start, whatever it is doing then.
 */
function runAndKill(
  script: string,
  file: string,
  moment: { afterStart: number; afterFirst: number | null },
): Promise<{ acknowledged: Acknowledged[]; complaint: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = (afterMs: number) => setTimeout(() => child.kill('SIGKILL'), afterMs);
    let output = '';
    let complaint = '';
    let timer = moment.afterFirst === null ? kill(moment.afterStart) : undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (moment.afterFirst !== null) timer ??= kill(moment.afterFirst);
    });
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      // What follows the last line end was cut off by the kill.
      const acknowledged = output
        .split('\n')
        .slice(0, -1)
        .map((line) => {
          const [conversationId = '', turnNumber = '', turnId = ''] = line.split(' ');
          return { conversationId, turnNumber: Number(turnNumber), turnId };
        });
      resolve({ acknowledged, complaint });
    });
  });
}

describe('a process that is killed at any moment', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'record.db');
  let program = '';
  beforeAll(async () => {
    program = await buildAppender();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    if (program) rmSync(program, { recursive: true, force: true });
  });

  it(`loses no acknowledged turn, repeats none, and leaves a sound record, ${KILLS} times over one file`, async () => {
    const all: Acknowledged[] = [];
    let roundsWithTurns = 0;
    for (let round = 0; round < KILLS; round++) {
      // Every fourth kill comes at some moment of the start, recovery of the log included.
      const { acknowledged, complaint } = await runAndKill(join(program, 'appender.js'), file, {
        afterStart: Math.random() * 200,
        afterFirst: round % 4 === 0 ? null : Math.random() * 80,
      });
      expect(complaint).toBe('');
      if (acknowledged.length > 0) roundsWithTurns += 1;
      all.push(...acknowledged);

      const dal = await openSqliteStore({ file, threads: false });
      try {
        expect(await dal.maintenance.check()).toEqual([]);
        for (const { conversationId, turnNumber, turnId } of acknowledged) {
          const turn = await dal.turns.get('sess_crash', turnId);
          expect(turn).toMatchObject({ conversationId, turnNumber });
        }
        const jobs = (await dal.jobs.counts()).reduce((sum, row) => sum + row.count, 0);
        expect(jobs).toBe((await dal.maintenance.counts()).turns);
      } finally {
        await dal.close();
      }
    }

    const dal = await openSqliteStore({ file, threads: false });
    const stored = new Map<string, number>();
    for (const conversationId of ['conv_a', 'conv_b', 'conv_c']) {
      const turns = await dal.turns.list({
        sessionId: 'sess_crash',
        conversationId,
        fromNumber: 1,
        limit: Number.MAX_SAFE_INTEGER,
      });
      expect(turns.every((turn, i) => turn.turnNumber === i + 1)).toBe(true);
      for (const turn of turns) stored.set(turn.turnId, (stored.get(turn.turnId) ?? 0) + 1);
    }
    await dal.close();
    expect(all.filter(({ turnId }) => stored.get(turnId) !== 1)).toEqual([]);
    // The test has teeth only if there was something to lose.
    expect(roundsWithTurns).toBeGreaterThanOrEqual(KILLS / 2);
    expect(all.length).toBeGreaterThan(KILLS);
    console.log(`${KILLS} kills, ${all.length} turns acknowledged, ${stored.size} stored`);
  }, 180_000);
});
