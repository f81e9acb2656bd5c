import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newConversation, newSession, newTurn } from '../store/implementations.ts';
import { removeUnfinished } from '../../src/config/data-folder.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { ROOT } from '../support/server-process.ts';
import { folder, run, start } from './support.ts';

const FIRST = 'the seventh line of an old song';
const SECOND = 'the eighth line of another song';
const SPOKEN = 'Marigolds bloom behind the observatory';

/** A record of some megabytes, so that there is a middle in which to be interrupted. */
async function fill(dataDir: string, key: string | null, turns = 60): Promise<void> {
  const dal = await openSqliteStore({ file: join(dataDir, 'ccc.db'), threads: false, key });
  const sessionId = await newSession(dal);
  await newConversation(
    dal,
    sessionId,
    Array.from({ length: turns }, (_, at) => newTurn(`${SPOKEN} ${String(at)} ${'and on '.repeat(80)}`)),
  );
  await dal.close();
}

async function turnsIn(dataDir: string, key: string | null): Promise<number> {
  const dal = await openSqliteStore({ file: join(dataDir, 'ccc.db'), threads: false, key });
  try {
    expect(await dal.maintenance.check()).toEqual([]);
    return (await dal.maintenance.counts()).turns;
  } finally {
    await dal.close();
  }
}

const holdsClearText = (dataDir: string) =>
  readdirSync(dataDir).filter((name) => readFileSync(join(dataDir, name)).includes('observatory'));

describe('npm run rekey', () => {
  it('encrypts a record in clear, changes its key, and takes it away again', async () => {
    const dataDir = join(folder(), 'data');
    await fill(dataDir, null);
    expect(holdsClearText(dataDir)).toEqual(['ccc.db']);

    const encrypted = await run({ CCC_DATA_DIR: dataDir, CCC_NEW_ENCRYPTION_KEY: FIRST }, [], 'rekey');
    expect(encrypted).toMatchObject({ code: 0, stderr: '' });
    expect(holdsClearText(dataDir)).toEqual([]);
    expect(await turnsIn(dataDir, FIRST)).toBe(60);

    const env = { CCC_DATA_DIR: dataDir, CCC_ENCRYPTION_KEY: FIRST };
    const changed = await run({ ...env, CCC_NEW_ENCRYPTION_KEY: SECOND }, [], 'rekey');
    expect(changed).toMatchObject({ code: 0, stderr: '' });
    expect(await turnsIn(dataDir, SECOND)).toBe(60);
    await expect(turnsIn(dataDir, FIRST)).rejects.toThrow(/is not the key/);

    const cleared = await run({ CCC_DATA_DIR: dataDir, CCC_ENCRYPTION_KEY: SECOND }, ['--clear'], 'rekey');
    expect(cleared).toMatchObject({ code: 0, stderr: '' });
    expect(await turnsIn(dataDir, null)).toBe(60);
    const said = [encrypted, changed, cleared].map(({ stdout }) => stdout).join('');
    expect(said).not.toMatch(new RegExp(`${FIRST}|${SECOND}`));
    expect(readdirSync(dataDir).sort()).toEqual(['ccc.db', 'ccc.lock']);
  });

  it('encrypts a record in clear with the key that the server was given, when that is the only one', async () => {
    const dataDir = join(folder(), 'data');
    await fill(dataDir, null, 5);
    const env = { CCC_DATA_DIR: dataDir, CCC_ENCRYPTION_KEY: FIRST };
    expect(await run(env, [], 'rekey')).toMatchObject({ code: 0, stderr: '' });
    expect(await turnsIn(dataDir, FIRST)).toBe(5);
    // Once is enough: now it would have to be told another one.
    expect(await run(env, [], 'rekey')).toMatchObject({ code: 1, stdout: '' });
    expect(await turnsIn(dataDir, FIRST)).toBe(5);
  });

  it('is refused with the wrong key, with none, and while the server runs; nothing is touched', async () => {
    const dataDir = join(folder(), 'data');
    await fill(dataDir, FIRST);
    const before = readFileSync(join(dataDir, 'ccc.db'));
    const attempt = async (env: Record<string, string>, why: RegExp, args: string[] = []) => {
      const refused = await run({ CCC_DATA_DIR: dataDir, ...env }, args, 'rekey');
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(why);
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
      expect(refused.stderr).not.toMatch(new RegExp(`${FIRST}|${SECOND}`));
    };
    await attempt({ CCC_ENCRYPTION_KEY: SECOND, CCC_NEW_ENCRYPTION_KEY: FIRST }, /is not the key/);
    await attempt({ CCC_NEW_ENCRYPTION_KEY: SECOND }, /set CCC_ENCRYPTION_KEY/);
    await attempt({ CCC_ENCRYPTION_KEY: FIRST, CCC_NEW_ENCRYPTION_KEY: 'short' }, /at least 16/);
    await attempt({ CCC_ENCRYPTION_KEY: FIRST }, /Set CCC_NEW_ENCRYPTION_KEY/);
    expect(readFileSync(join(dataDir, 'ccc.db')).equals(before)).toBe(true);
    const server = await start({ dataDir, env: { CCC_ENCRYPTION_KEY: FIRST } });
    await attempt({ CCC_ENCRYPTION_KEY: FIRST, CCC_NEW_ENCRYPTION_KEY: SECOND }, /Stop it first/);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    await server.stop();
  });

  it('that is killed at any moment leaves a whole record, with the old key or with the new one', async () => {
    const parent = folder();
    const original = join(parent, 'original');
    await fill(original, FIRST, 1000);
    const outcomes = { old: 0, new: 0 };
    for (let round = 0; round < 6; round += 1) {
      const dataDir = join(parent, `round-${String(round)}`);
      mkdirSync(dataDir);
      copyFileSync(join(original, 'ccc.db'), join(dataDir, 'ccc.db'));
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', 'scripts/rekey.ts', ...(round % 2 ? ['--clear'] : [])],
        {
          cwd: ROOT,
          stdio: 'ignore',
          env: {
            PATH: process.env['PATH'] ?? '',
            CCC_DATA_DIR: dataDir,
            CCC_ENCRYPTION_KEY: FIRST,
            ...(round % 2 ? {} : { CCC_NEW_ENCRYPTION_KEY: SECOND }),
          },
        },
      );
      const ended = once(child, 'close');
      // From the appearance of the copy to its renaming is the time in which something could go wrong.
      const copy = join(dataDir, 'ccc.db.rekeying');
      while (!existsSync(copy) && child.exitCode === null)
        await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 90 * round));
      child.kill('SIGKILL');
      await ended;
      const next = round % 2 ? null : SECOND;
      const isOld = await turnsIn(dataDir, FIRST).then(
        (turns) => turns === 1000,
        () => false,
      );
      if (!isOld) expect(await turnsIn(dataDir, next)).toBe(1000);
      outcomes[isOld ? 'old' : 'new'] += 1;
      // Whoever has the folder next clears away what was left half done: it may be in clear.
      await removeUnfinished(dataDir);
      expect(readdirSync(dataDir).filter((name) => name.includes('rekeying'))).toEqual([]);
      rmSync(dataDir, { recursive: true });
    }
    expect(outcomes.old).toBeGreaterThan(0);
    console.log(
      `killed while changing the key: ${String(outcomes.old)} with the old one, ${String(outcomes.new)} with the new one`,
    );
  });
});
