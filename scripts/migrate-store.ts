/**
 * `npm run migrate-store -- --from sqlite:data --to postgres://…`, or back: copies the whole record and compares both. What
 * uses either record must be stopped. Interrupted, it goes on where it was when it is run again.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { prepareDataFolder, RECORD_FILE, removeProjection } from '../src/config/data-folder.ts';
import { loadSettings, readEnvironment } from '../src/config/load.ts';
import { moveRecord, type MoveProgress } from '../src/memory/transfer/move-record.ts';
import type { MemoryDAL } from '../src/store/memory-dal.ts';
import { openPostgresStore } from '../src/store/postgres/open-postgres-store.ts';
import { lockFolder } from '../src/store/sqlite/folder-lock.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { runScript, UsageError } from './run-script.ts';

const USAGE =
  'Usage: npm run migrate-store -- --from sqlite:FOLDER --to postgres://USER@HOST/DATABASE, or the other way round.';
const BAR_WIDTH = 30;

interface OpenRecord {
  dal: MemoryDAL;
  close(): Promise<void>;
}

await runScript(async () => {
  const [source, target] = [argument('--from'), argument('--to')];
  if (isPostgres(source) === isPostgres(target)) {
    throw new UsageError(`One side is sqlite:, the other postgres://. ${USAGE}`);
  }
  const from = await open(source, false);
  try {
    const to = await open(target, true);
    try {
      const all = await from.dal.maintenance.counts();
      const { sessions, found, turns, rows, problems } = await moveRecord(from.dal, to.dal, {
        now: Date.now(),
        ...(process.stdout.isTTY ? { onProgress: (done) => drawBar(done, all) } : {}),
      });
      if (process.stdout.isTTY) process.stdout.write('\n');
      for (const { sessionId, reason } of problems) console.error(`${sessionId} is not the same: ${reason}.`);
      if (problems.length > 0) {
        throw new UsageError(
          `${String(problems.length)} of ${String(sessions)} sessions are not the same on both sides. Nothing was removed.`,
        );
      }
      console.log(
        `${String(sessions)} sessions with ${String(turns)} turns (${String(rows)} rows) are the same on both sides, by count ` +
          `and by SHA-256; ${String(found)} of them were there already.`,
      );
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
});

function argument(name: string): string {
  const at = process.argv.indexOf(name);
  const value = at < 0 ? undefined : process.argv[at + 1];
  if (value === undefined || !/^(sqlite:.|postgres(ql)?:\/\/)/.test(value)) throw new UsageError(USAGE);
  return value;
}

function isPostgres(place: string): boolean {
  return !place.startsWith('sqlite:');
}

async function open(place: string, make: boolean): Promise<OpenRecord> {
  if (isPostgres(place)) {
    const dal = await openPostgresStore({ url: place });
    return { dal, close: () => dal.close() };
  }
  const folder = resolve(place.slice('sqlite:'.length));
  if (make) await prepareDataFolder(folder);
  else if (!existsSync(join(folder, RECORD_FILE))) throw new UsageError(`There is no record in ${folder}.`);
  const lock = await lockFolder(folder, 0);
  try {
    // What stands beside the record was made from another one.
    if (make) await removeProjection(folder);
    const dal = await openSqliteStore({ file: join(folder, RECORD_FILE), threads: true, key: fileKey() });
    return {
      dal,
      close: async () => {
        await dal.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The key of an encrypted file. Where the server keeps its record is of no concern here. */
function fileKey(): string | null {
  const { CCC_DATABASE_URL: _, ...environment } = readEnvironment();
  return loadSettings(environment).settings.CCC_ENCRYPTION_KEY ?? null;
}

function drawBar(done: MoveProgress, all: { sessions: number; turns: number }): void {
  const part = all.turns === 0 ? 1 : Math.min(1, done.turns / all.turns);
  const full = Math.round(part * BAR_WIDTH);
  process.stdout.write(
    `\r[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${String(done.sessions)} of ${String(all.sessions)} sessions, ` +
      `${String(done.turns)} of ${String(all.turns)} turns`,
  );
}
