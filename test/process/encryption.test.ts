import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, post, run, start } from './support.ts';

const KEY = 'the seventh line of an old song';
const OTHER_KEY = 'the eighth line of another song';
const SPOKEN = 'The marigolds behind the observatory failed because the frost came early.';
const oneLine = /^CCC cannot start: [^\n]+\n$/;

/** Names of the files below `path` that hold one of `words`, in any case. */
function filesWith(path: string, words: string[]): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const file = join(path, name);
    if (!statSync(file).isFile()) return false;
    const text = readFileSync(file).toString('latin1').toLowerCase();
    return words.some((word) => text.includes(word.toLowerCase()));
  });
}

/** Has a conversation, causes and analytics, so that everything that writes files has something to write. */
async function use(url: string): Promise<string> {
  const session = await post(`${url}/api/v2/sessions`, {});
  const sessionId = String(session.body['session_id']);
  const chat = await post(`${url}/v2/chat/completions`, {
    model: 'm',
    session_id: sessionId,
    covenant: { mode: 'direct' },
    messages: [{ role: 'user', content: SPOKEN }],
  });
  expect(chat.status).toBe(200);
  const events = await post(`${url}/api/v2/sessions/${sessionId}/causal/events`, {
    events: [{ text: 'The marigolds failed' }, { text: 'The frost came early at the observatory' }],
  });
  expect(events.status, JSON.stringify(events.body)).toBe(201);
  const causal = await fetch(`${url}/api/v2/sessions/${sessionId}/causal?query=marigolds`);
  expect(causal.status).toBe(200);
  expect(await causal.text()).toContain('marigolds failed');
  return sessionId;
}

describe('a server with CCC_ENCRYPTION_KEY', () => {
  it('keeps nothing that was said in clear in any file, and tells nobody its key', async () => {
    const parent = folder();
    const dataDir = join(parent, 'data');
    const keyFile = join(parent, 'key');
    writeFileSync(keyFile, `${KEY}\n`);
    const env = { CCC_ENCRYPTION_KEY_FILE: keyFile };

    // A folder from a time without a key leaves nothing in clear behind either, once its record is encrypted.
    const server = await start({ dataDir, env });
    writeFileSync(join(dataDir, 'causal.duckdb.old'), SPOKEN);
    writeFileSync(join(dataDir, 'ccc.db.rekeying'), SPOKEN);
    const sessionId = await use(server.url);
    const left = ['causal.duckdb.old', 'ccc.db.rekeying'];
    const words = ['marigold', 'observatory', 'CREATE TABLE', 'SQLite format 3'];
    expect(filesWith(dataDir, words).sort()).toEqual(left);
    const told = await Promise.all(
      ['/health', '/health/ready', '/api/v2/status', '/metrics'].map(async (path) =>
        (await fetch(server.url + path)).text(),
      ),
    );
    // Whoever pastes the key finds it masked in the record.
    const pasted = await post(`${server.url}/v2/chat/completions`, {
      model: 'm',
      session_id: sessionId,
      covenant: { mode: 'direct' },
      messages: [{ role: 'user', content: `The key of the garden is ${KEY}, keep it.` }],
    });
    const { conversation_id: pastedInto } = pasted.body['memory_metadata'] as { conversation_id: string };
    const kept = await (await fetch(`${server.url}/api/v2/conversations/${pastedInto}`)).text();
    expect(kept).toContain('The key of the garden is');
    told.push(kept);
    expect(await server.stop('SIGKILL')).toBe(null);
    // After a crash: the log of the record is still there.
    expect(filesWith(dataDir, words).sort()).toEqual(left);

    const again = await start({ dataDir, env });
    expect(filesWith(dataDir, words)).toEqual([]);
    const status = (await (await fetch(`${again.url}/api/v2/status`)).json()) as { turns?: number };
    expect(JSON.stringify(status)).toContain('"turns":');
    expect(await again.stop()).toBe(0);

    const help = await run({ ...env, CCC_DATA_DIR: dataDir }, ['--help']);
    const outputs = [server, again].map((one) => one.stdout() + one.stderr()).join('');
    expect(outputs + told.join('') + help.stdout + help.stderr).not.toContain(KEY);
  });

  it('does not start with another key, or without one: one line, exit code 1, nothing touched', async () => {
    const dataDir = join(folder(), 'data');
    const server = await start({ dataDir, env: { CCC_ENCRYPTION_KEY: KEY } });
    await use(server.url);
    await server.stop();
    const before = readFileSync(join(dataDir, 'ccc.db'));
    const wrong = await run({ CCC_DATA_DIR: dataDir, CCC_ENCRYPTION_KEY: OTHER_KEY });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(oneLine);
    expect(wrong.stderr).toContain('CCC_ENCRYPTION_KEY is not the key of');
    expect(wrong.stderr).not.toContain(OTHER_KEY);
    const none = await run({ CCC_DATA_DIR: dataDir });
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(oneLine);
    expect(none.stderr).toContain('set CCC_ENCRYPTION_KEY');
    expect(readFileSync(join(dataDir, 'ccc.db')).equals(before)).toBe(true);
  });

  it('does not start on a record in clear, and says how to encrypt it', async () => {
    const dataDir = join(folder(), 'data');
    const server = await start({ dataDir });
    await server.stop();
    const refused = await run({ CCC_DATA_DIR: dataDir, CCC_ENCRYPTION_KEY: KEY });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(oneLine);
    expect(refused.stderr).toContain('npm run rekey');
    const again = await start({ dataDir });
    expect(await again.stop()).toBe(0);
  });
});

describe('npm run export:parquet', () => {
  it('of an encrypted record needs its key, and says that what it writes is in clear', async () => {
    const parent = folder();
    const env = { CCC_DATA_DIR: join(parent, 'data'), CCC_ENCRYPTION_KEY: KEY };
    const server = await start({ dataDir: env.CCC_DATA_DIR, env });
    await use(server.url);
    const written = await run(env, [join(parent, 'tables')], 'export-parquet');
    expect(written).toMatchObject({ code: 0, stderr: expect.stringMatching(/are not: keep them/) as string });
    expect(readdirSync(join(parent, 'tables')).length).toBeGreaterThan(3);
    const refused = await run(
      { ...env, CCC_ENCRYPTION_KEY: OTHER_KEY },
      [join(parent, 'more')],
      'export-parquet',
    );
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^CCC_ENCRYPTION_KEY is not the key of [^\n]+\n$/);
    await server.stop();
  });
});

describe('a second server on the same folder', () => {
  it('is refused while the first one runs, which goes on; and takes over when that one was killed', async () => {
    const dataDir = join(folder(), 'data');
    const first = await start({ dataDir });
    const second = await run({ CCC_DATA_DIR: dataDir });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^CCC cannot start: Another process works on [^\n]+\n$/);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
    const modes = readdirSync(dataDir).map((name) => [name, statSync(join(dataDir, name)).mode & 0o777]);
    expect(modes.filter(([, mode]) => mode !== 0o600)).toEqual([]);
    await first.stop('SIGKILL');
    const third = await start({ dataDir });
    expect(await third.stop()).toBe(0);
  });
});
