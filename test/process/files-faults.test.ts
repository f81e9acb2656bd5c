import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeUnfinished } from '../../src/config/data-folder.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { newConversation, newSession, newTurn } from '../store/implementations.ts';
import { ROOT } from '../support/server-process.ts';
import { fillUp, smallDisk } from './small-disk.ts';
import { folder, run } from './support.ts';

const KEY = 'the seventh line of an old song';

async function fill(dataDir: string, turns: number): Promise<void> {
  const dal = await openSqliteStore({ file: join(dataDir, 'ccc.db'), threads: false });
  const sessionId = await newSession(dal);
  const content = (at: number) => Array.from({ length: 80 }, (_, word) => `w${at}x${word}`).join(' ');
  await newConversation(
    dal,
    sessionId,
    Array.from({ length: turns }, (_, at) => newTurn(content(at))),
  );
  await dal.close();
}

async function turnsIn(dataDir: string): Promise<number> {
  const dal = await openSqliteStore({ file: join(dataDir, 'ccc.db'), threads: false });
  try {
    expect(await dal.maintenance.check()).toEqual([]);
    return (await dal.maintenance.counts()).turns;
  } finally {
    await dal.close();
  }
}

/** The bytes of a record without those that change when its log is folded in: the journal's mode, and who wrote last. */
function withoutMode(bytes: Buffer): Buffer {
  return bytes.fill(0, 18, 20).fill(0, 24, 28).fill(0, 92, 100);
}

describe('backup, restore and rekey on a disk that is full', () => {
  it.skipIf(process.getuid?.() !== 0)('say so in one line, and change and leave nothing', async (context) => {
    const disk = smallDisk(8);
    if (disk === null) {
      context.skip();
      return;
    }
    const parent = folder();
    const backup = join(parent, 'backup');
    const dataDir = join(disk, 'data');
    await fill(dataDir, 150);
    expect(await run({ CCC_DATA_DIR: dataDir }, [backup], 'backup')).toMatchObject({ code: 0 });
    fillUp(join(disk, 'filler'));
    const before = withoutMode(readFileSync(join(dataDir, 'ccc.db')));
    expect(before.length).toBeGreaterThan(1 << 19);
    const attempts = [
      ['backup', {}, [join(disk, 'backup')]],
      ['restore', {}, [backup, '--force']],
      ['rekey', { CCC_NEW_ENCRYPTION_KEY: KEY }, []],
    ] as const;
    for (const [script, env, args] of attempts) {
      const refused = await run({ CCC_DATA_DIR: dataDir, ...env }, [...args], script);
      expect(refused, script).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/full|ENOSPC|no space/i);
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
      // But for what changes when its log is folded in.
      expect(withoutMode(readFileSync(join(dataDir, 'ccc.db'))).equals(before)).toBe(true);
      expect(readdirSync(disk).sort()).toEqual(['data', 'filler']);
      expect(readdirSync(dataDir).filter((name) => !/^ccc\.(db|lock|db-shm)$/.test(name))).toEqual([]);
    }
    // Onto another disk there is a way out.
    expect(await run({ CCC_DATA_DIR: dataDir }, [join(parent, 'second')], 'backup')).toMatchObject({
      code: 0,
    });
    rmSync(join(disk, 'filler'));
    expect(await turnsIn(dataDir)).toBe(150);
  });
});

describe('a restore that is killed at any moment', () => {
  it('leaves a whole record under its name, the old one or the new one, and never loses the old one', async () => {
    const parent = folder();
    const [older, newer] = [join(parent, 'older'), join(parent, 'newer')];
    await fill(older, 600);
    await fill(newer, 5);
    const outcomes = { old: 0, new: 0 };
    for (let round = 0; round < 5; round += 1) {
      const dataDir = join(parent, `round-${String(round)}`);
      mkdirSync(dataDir);
      copyFileSync(join(newer, 'ccc.db'), join(dataDir, 'ccc.db'));
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', 'scripts/restore.ts', join(older, 'ccc.db'), '--force'],
        { cwd: ROOT, stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', CCC_DATA_DIR: dataDir } },
      );
      const ended = once(child, 'close');
      const copy = join(dataDir, 'ccc.db.restoring');
      while (!existsSync(copy) && child.exitCode === null)
        await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 12 * round));
      child.kill('SIGKILL');
      await ended;
      await removeUnfinished(dataDir);
      const turns = await turnsIn(dataDir);
      expect([5, 600]).toContain(turns);
      outcomes[turns === 5 ? 'old' : 'new'] += 1;
      const aside = readdirSync(dataDir).filter((name) => name.includes('before-restore'));
      if (turns === 600) expect(aside).toHaveLength(1);
      for (const name of aside) expect(statSync(join(dataDir, name)).size).toBeGreaterThan(0);
    }
    expect(outcomes.old).toBeGreaterThan(0);
    console.log(`killed while restoring: ${String(outcomes.old)} old, ${String(outcomes.new)} new`);
  });
});
