import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/server-process.ts';
import { fillUp, smallDisk } from './small-disk.ts';
import { folder, post, start } from './support.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const oneLine = /^CCC cannot start: [^\n]+\n$/;

interface Chat {
  status: number;
  content: string | undefined;
  report: { turn_ids: string[]; degraded: string | null; conversation_id: string | null };
}

/** One chat with memory, in direct mode, with the model that is built in. */
async function chat(url: string, sessionId: string, content: string): Promise<Chat> {
  const { status, body } = await post(`${url}/v2/chat/completions`, {
    model: 'm',
    session_id: sessionId,
    covenant: { mode: 'direct' },
    messages: [{ role: 'user', content }],
  });
  const { choices, memory_metadata: report } = body as {
    choices?: { message: { content: string } }[];
    memory_metadata: Chat['report'];
  };
  return { status, content: choices?.[0]?.message.content, report };
}

async function begin(url: string) {
  const session = await post(`${url}/api/v2/sessions`, {});
  const sessionId = String(session.body['session_id']);
  const conversation = await post(`${url}/api/v2/conversations`, {
    session_id: sessionId,
    directive: 'Begin.',
  });
  return { sessionId, conversationId: String(conversation.body['conversation_id']) };
}

const addTurn = (url: string, conversationId: string, content: string) =>
  post(`${url}/api/v2/conversations/${conversationId}/turns`, { agent: 'wykeve', content });

async function turnIds(url: string, conversationId: string): Promise<string[]> {
  const response = await fetch(`${url}/api/v2/conversations/${conversationId}`);
  const { turns } = (await response.json()) as { turns: { turn_id: string; turn_number: number }[] };
  expect(turns.map(({ turn_number }) => turn_number)).toEqual(turns.map((_, at) => at + 1));
  return turns.map(({ turn_id }) => turn_id);
}

const statusOf = async (url: string) => (await fetch(url)).status;
const aliveAndPlain = async (url: string) => {
  expect(await statusOf(`${url}/health`)).toBe(200);
  const plain = await post(`${url}/v1/chat/completions`, {
    model: 'm',
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(plain.status).toBe(200);
};

describe('a disk that is full', () => {
  it.skipIf(!isRoot)(
    'refuses what it cannot store with 503, goes on chatting, loses nothing acknowledged, and recovers by itself',
    async (context) => {
      const disk = smallDisk(16);
      if (disk === null) {
        context.skip();
        return;
      }
      const ballast = join(disk, 'ballast');
      writeFileSync(ballast, Buffer.alloc(4 << 20));
      const dataDir = join(disk, 'data');
      const server = await start({ dataDir });
      const { sessionId, conversationId } = await begin(server.url);
      const acknowledged: string[] = [];
      const addUntilRefused = async (url: string) => {
        for (let at = 0; at < 400; at += 1) {
          const words = Array.from({ length: 3_000 }, (_, word) => `w${String(at)}x${String(word)}`).join(
            ' ',
          );
          const answer = await addTurn(url, conversationId, words);
          if (answer.status !== 201) return answer;
          acknowledged.push(String(answer.body['turn_id']));
        }
        return null;
      };
      const refused = await addUntilRefused(server.url);
      expect(refused).toMatchObject({
        status: 503,
        body: { error: { code: 'storage_failed', message: expect.any(String) as string } },
      });
      expect(JSON.stringify(refused)).not.toContain(disk);
      expect(acknowledged.length).toBeGreaterThan(5);
      await aliveAndPlain(server.url);

      // One write or another may still find room, as the log is used again; what does not is said.
      let long: Chat;
      const kept: Chat['report'][] = [];
      do {
        long = await chat(server.url, sessionId, 'Remember this. '.repeat(4_000));
        expect(long).toMatchObject({ status: 200, content: expect.any(String) as string });
        if (long.report.degraded === null) kept.push(long.report);
      } while (long.report.degraded === null && kept.length < 400);
      expect(long.report.degraded).toMatch(/could not/);

      // Not even a restart loses anything; it may have to wait for room.
      expect(await server.stop()).toBe(0);
      fillUp(join(disk, 'filler'));
      const full = await runServer({ CCC_DATA_DIR: dataDir }, {}, 3_000);
      if (full.code !== null) {
        expect(full.code).toBe(1);
        expect(full.stderr).toMatch(oneLine);
      }
      rmSync(join(disk, 'filler'));
      const second = await start({ dataDir });
      expect((await turnIds(second.url, conversationId)).slice(1)).toEqual(acknowledged);
      for (const report of kept) {
        const held = await turnIds(second.url, String(report.conversation_id));
        expect(held).toEqual(expect.arrayContaining(report.turn_ids));
      }
      expect((await addUntilRefused(second.url))?.status).toBe(503);

      rmSync(ballast);
      await expect.poll(() => statusOf(`${second.url}/health/ready`)).toBe(200);
      const after = await addTurn(second.url, conversationId, 'There is room again.');
      expect(after.status).toBe(201);
      const well = await chat(second.url, sessionId, 'Is there room again?');
      expect(well.report).toMatchObject({ degraded: null });
      const stored = await turnIds(second.url, conversationId);
      expect(stored.slice(1)).toEqual([...acknowledged, String(after.body['turn_id'])]);
      await second.stop('SIGKILL');
      const again = await start({ dataDir });
      expect(await turnIds(again.url, conversationId)).toEqual(stored);
      await again.stop();
    },
  );
});

describe('a record that another process has locked', () => {
  it('is waited for; what could not be stored is refused, and the chat goes on and says so', async () => {
    const server = await start();
    const { sessionId, conversationId } = await begin(server.url);
    await addTurn(server.url, conversationId, 'My sister Ana is allergic to peanuts.');
    const intruder = new Database(join(server.dataDir, 'ccc.db'));
    intruder.exec('BEGIN IMMEDIATE');
    const [turn, answer, ready] = await Promise.all([
      addTurn(server.url, conversationId, 'This one is in vain.'),
      chat(server.url, sessionId, 'What is my sister allergic to?'),
      statusOf(`${server.url}/health/ready`),
      aliveAndPlain(server.url),
    ]);
    expect(turn).toMatchObject({ status: 503, body: { error: { code: 'storage_failed' } } });
    expect(ready).toBe(503);
    expect(answer).toMatchObject({ status: 200, content: expect.any(String) as string });
    expect(answer.report.degraded).toMatch(/could not/);
    expect(answer.report.turn_ids).toEqual([]);
    intruder.exec('ROLLBACK');
    intruder.close();
    await expect.poll(() => statusOf(`${server.url}/health/ready`)).toBe(200);
    expect((await addTurn(server.url, conversationId, 'And this one is not.')).status).toBe(201);
    expect(await turnIds(server.url, conversationId)).toHaveLength(3);
    await server.stop();
  });
});

describe('a record that is damaged', () => {
  /** Overwrites everything but the first pages, in which the schema begins. */
  function damage(file: string): void {
    const descriptor = openSync(file, 'r+');
    const pages = statSync(file).size / 4096;
    for (let page = 1; page < pages; page += 1)
      writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    closeSync(descriptor);
  }

  it('at the start says so in one line and ends with 1, and is left as it is', async () => {
    const dataDir = join(folder(), 'data');
    const server = await start({ dataDir });
    const { conversationId } = await begin(server.url);
    await addTurn(server.url, conversationId, 'word '.repeat(3_000));
    await server.stop();
    const file = join(dataDir, 'ccc.db');
    damage(file);
    const before = readFileSync(file);
    const { code, stderr } = await runServer({ CCC_DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(/malformed|damaged/);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('while the server runs: what needs the damaged pages is refused, chats go on and say so, nothing falls over', async () => {
    const dataDir = join(folder(), 'data');
    const first = await start({ dataDir });
    const { sessionId, conversationId } = await begin(first.url);
    for (let at = 0; at < 20; at += 1)
      await addTurn(
        first.url,
        conversationId,
        Array.from({ length: 300 }, (_, w) => `w${String(at)}x${String(w)}`).join(' '),
      );
    await first.stop();
    const server = await start({ dataDir });
    expect(await statusOf(`${server.url}/health/ready`)).toBe(200);
    damage(join(dataDir, 'ccc.db'));
    const answer = await chat(server.url, sessionId, 'What did w3x17 mean?');
    expect(answer).toMatchObject({ status: 200, content: expect.any(String) as string });
    expect(answer.report.degraded).toMatch(/could not/);
    expect(answer.report.turn_ids).toEqual([]);
    const read = await fetch(`${server.url}/api/v2/conversations/${conversationId}`);
    expect(read.status).toBe(503);
    expect(await read.json()).toMatchObject({ error: { code: 'storage_failed' } });
    await aliveAndPlain(server.url);
    expect(await server.stop()).toBe(0);
  });
});

describe('a disk that may not be written', () => {
  // Whoever is root may write everything: the server then runs as nobody.
  const identity = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const give = (path: string) => {
    if (isRoot) chownSync(path, NOBODY, NOBODY);
  };

  /** Whether the program and a folder can be reached by whom the server is to run as. */
  const reaches = (path: string) =>
    spawnSync(
      process.execPath,
      ['-e', `for (const path of ['dist/src/main.js', ${JSON.stringify(path)}]) fs.accessSync(path)`],
      { cwd: ROOT, ...identity },
    ).status === 0;

  it.for(['the folder', 'the record'])(
    '%s: the start says so in one line and ends with 1',
    async (what, context) => {
      const parent = folder();
      chmodSync(parent, 0o755);
      if (!reaches(parent)) context.skip();
      const dataDir = join(parent, 'data');
      mkdirSync(dataDir);
      const server = await start({ dataDir });
      await begin(server.url);
      await server.stop();
      const file = join(dataDir, 'ccc.db');
      for (const path of [dataDir, file, join(dataDir, 'ccc.lock')]) give(path);
      const before = readFileSync(file);
      chmodSync(what === 'the folder' ? dataDir : file, what === 'the folder' ? 0o500 : 0o400);
      const { code, stderr } = await runServer({ CCC_DATA_DIR: dataDir }, identity);
      expect(code).toBe(1);
      expect(stderr).toMatch(oneLine);
      expect(stderr).toMatch(what === 'the folder' ? /cannot be written: EACCES/ : /EACCES[^\n]*ccc\.db/);
      expect(readFileSync(file).equals(before)).toBe(true);
      chmodSync(dataDir, 0o700);
    },
  );
});

describe('DuckDB that cannot be loaded', () => {
  it('takes causes and analytics away, and nothing else', async () => {
    const parent = folder();
    const hook = join(parent, 'hook.mjs');
    writeFileSync(
      hook,
      `import { register } from 'node:module';
       register('data:text/javascript,' + encodeURIComponent(\`export async function resolve(name, context, next) {
         if (name.startsWith('@duckdb/')) throw new Error('no DuckDB on this machine');
         return next(name, context);
       }\`));`,
    );
    const server = await start({ dataDir: join(parent, 'data'), env: { NODE_OPTIONS: `--import ${hook}` } });
    const causalHealth = async () =>
      ((await (await fetch(`${server.url}/health`)).json()) as { causal: unknown }).causal;
    // Before anything was asked of it too.
    expect(await causalHealth()).toEqual({ available: false, reason: 'DuckDB cannot be loaded.', lag: 0 });
    const { sessionId, conversationId } = await begin(server.url);
    const events = await post(`${server.url}/api/v2/sessions/${sessionId}/causal/events`, {
      events: [{ text: 'The frost came early' }, { text: 'The marigolds failed because of the frost' }],
    });
    // Facts are the record's: they are stored, and will be there when DuckDB is.
    expect(events.status).toBe(201);
    const [cause, effect] = (events.body['events'] as { event_id: string }[]).map(({ event_id }) => event_id);
    const links = await post(`${server.url}/api/v2/sessions/${sessionId}/causal/links`, {
      links: [{ cause_id: cause, effect_id: effect, relation: 'caused' }],
    });
    expect(links.status).toBe(201);
    const causal = await fetch(`${server.url}/api/v2/sessions/${sessionId}/causal?query=marigolds`);
    expect(causal.status).toBe(503);
    expect(await causal.json()).toMatchObject({ error: { code: 'storage_failed' } });
    expect((await addTurn(server.url, conversationId, 'The marigolds are in the garden.')).status).toBe(201);
    const answer = await chat(server.url, sessionId, 'Why did the marigolds fail?');
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.report.turn_ids).toHaveLength(2);
    expect(answer.report.degraded).toMatch(/caus/);
    const retrieved = await fetch(`${server.url}/api/v2/sessions/${sessionId}/context?directive=garden`);
    expect(retrieved.status).toBe(200);
    expect(await retrieved.text()).toContain('The marigolds are in the garden.');
    expect(await causalHealth()).toMatchObject({ available: false });
    expect(await statusOf(`${server.url}/health/ready`)).toBe(200);
    // The projection of a session that was never made cannot stand in the way of erasing the session.
    const erased = await fetch(`${server.url}/api/v2/sessions/${sessionId}`, { method: 'DELETE' });
    expect(erased.status).toBe(204);
    expect(await server.stop()).toBe(0);
  });
});

/** Runs the built server to its own end, as somebody else where that is asked for. */
async function runServer(
  env: Record<string, string>,
  identity: { uid?: number; gid?: number } = {},
  limitMs = 15_000,
) {
  const child = spawn(process.execPath, ['dist/src/main.js'], {
    cwd: ROOT,
    ...identity,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env },
  });
  let stderr = '';
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, stderr };
}
