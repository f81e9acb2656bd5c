import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, post, run, start } from './support.ts';

const KEY = 'the seventh line of an old song';

/** A session with turns and causes, and what it answers to each way of asking. */
async function begin(url: string) {
  const session = await post(`${url}/api/v2/sessions`, { user_preferences: { tone: 'dry' } });
  const sessionId = String(session.body['session_id']);
  const conversation = await post(`${url}/api/v2/conversations`, {
    session_id: sessionId,
    directive: 'Find out why the marigolds failed.',
  });
  const events = await post(`${url}/api/v2/sessions/${sessionId}/causal/events`, {
    events: [{ text: 'The frost came early' }, { text: 'The marigolds failed' }],
  });
  const [cause, effect] = (events.body['events'] as { event_id: string }[]).map(({ event_id }) => event_id);
  const links = await post(`${url}/api/v2/sessions/${sessionId}/causal/links`, {
    links: [{ cause_id: cause, effect_id: effect, relation: 'caused' }],
  });
  expect([conversation.status, events.status, links.status]).toEqual([201, 201, 201]);
  return { sessionId, conversationId: String(conversation.body['conversation_id']), effect: String(effect) };
}

const addTurn = (url: string, conversationId: string, content: string) =>
  post(`${url}/api/v2/conversations/${conversationId}/turns`, { agent: 'wykeve', content });

/** The background jobs that are still to do. */
async function jobsOf(url: string): Promise<unknown> {
  const status = (await (await fetch(`${url}/api/v2/status`)).json()) as { jobs: unknown };
  return status.jobs;
}

type Session = Awaited<ReturnType<typeof begin>>;

/** All that a session answers: its export, retrieval by words, and why something happened. */
async function answers(url: string, { sessionId, effect }: Session) {
  const text = async (path: string, body?: object) => {
    const response = await fetch(`${url}/api/v2/sessions/${sessionId}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    expect(response.status, path).toBe(200);
    return response.text();
  };
  const lines = (await text('/export', {})).trim().split('\n');
  // To be asked for is a use of an event, and is noted.
  const rows = lines.map((line) => line.replace(/"last_used":"[^"]*"/, ''));
  return {
    rows,
    search: await text('/context/search', { query: 'marigolds in the frost', max_results: 5 }),
    why: await text(`/causal/events/${effect}/why`),
    narrative: await text('/causal?query=why%20did%20the%20marigolds%20fail'),
  };
}

describe.each([
  { name: 'in clear', env: {} as Record<string, string> },
  { name: 'with a key', env: { CCC_ENCRYPTION_KEY: KEY } as Record<string, string> },
])('a backup of a record $name', ({ name, env }) => {
  it('that is made under writes holds all that was acknowledged before, and answers equally when it is restored', async () => {
    const parent = folder();
    const dataDir = join(parent, 'data');
    const backup = join(parent, 'record.backup');
    const server = await start({ dataDir, env });
    const still = await begin(server.url);
    for (let at = 0; at < 30; at += 1)
      await addTurn(server.url, still.conversationId, `Marigolds and frost, thought number ${String(at)}.`);
    await expect.poll(() => jobsOf(server.url), { timeout: 30_000, interval: 250 }).toEqual([]);
    const before = await answers(server.url, still);

    // Another session is written as fast as it goes, all the time that the backup is made.
    const busy = await begin(server.url);
    const acknowledged: string[] = [];
    let writing = true;
    const writers = [1, 2, 3].map(async (writer) => {
      for (let at = 0; writing; at += 1) {
        const turn = await addTurn(
          server.url,
          busy.conversationId,
          `Writer ${String(writer)}, line ${String(at)}.`,
        );
        expect(turn.status).toBe(201);
        acknowledged.push(JSON.stringify(turn.body['turn_id'] ?? turn.body));
      }
    });
    while (acknowledged.length < 30) await new Promise((resolve) => setTimeout(resolve, 5));
    const acknowledgedBefore = [...acknowledged];
    const made = await run({ CCC_DATA_DIR: dataDir, ...env }, [backup], 'backup');
    const acknowledgedDuring = acknowledged.length - acknowledgedBefore.length;
    writing = false;
    await Promise.all(writers);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(acknowledgedDuring).toBeGreaterThan(10);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(readdirSync(parent).sort()).toEqual(['data', 'record.backup']);
    expect(readFileSync(backup).toString('latin1').includes('Marigolds')).toBe(name === 'in clear');
    expect(await server.stop()).toBe(0);

    // Into a folder that does not exist yet: another machine.
    const elsewhere = join(parent, 'elsewhere');
    const restored = await run({ CCC_DATA_DIR: elsewhere, ...env }, [backup], 'restore');
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    const copy = await start({ dataDir: elsewhere, env });
    expect(await answers(copy.url, still)).toEqual(before);
    const there = (await answers(copy.url, busy)).rows.join('\n');
    expect(acknowledgedBefore.filter((id) => !there.includes(id))).toEqual([]);
    // It goes on: a restored record takes writes.
    expect((await addTurn(copy.url, still.conversationId, 'And on.')).status).toBe(201);
    expect(await copy.stop()).toBe(0);
  });
});

describe('a restore', () => {
  it('is refused while the server runs, and over a record that holds something, unless it is told to', async () => {
    const parent = folder();
    const dataDir = join(parent, 'data');
    const backup = join(parent, 'record.backup');
    const server = await start({ dataDir });
    const old = await begin(server.url);
    expect(await run({ CCC_DATA_DIR: dataDir }, [backup], 'backup')).toMatchObject({ code: 0 });
    // The same file again: not over what is there.
    const twice = await run({ CCC_DATA_DIR: dataDir }, [backup], 'backup');
    expect(twice).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^[^\n]*--force[^\n]*\n$/) as string,
    });
    const later = await begin(server.url);

    const running = await run({ CCC_DATA_DIR: dataDir }, [backup, '--force'], 'restore');
    expect(running).toMatchObject({ code: 1, stdout: '' });
    expect(running.stderr).toMatch(/^Another process works on [^\n]*Stop it first\.\n$/);
    expect((await fetch(`${server.url}/api/v2/sessions/${later.sessionId}`)).status).toBe(200);
    await server.stop();

    const full = await run({ CCC_DATA_DIR: dataDir }, [backup], 'restore');
    expect(full).toMatchObject({ code: 1, stdout: '' });
    expect(full.stderr).toMatch(/holds 2 sessions[^\n]*--force[^\n]*\n$/);

    const forced = await run({ CCC_DATA_DIR: dataDir }, [backup, '--force'], 'restore');
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    const kept = readdirSync(dataDir).filter((file) => file.startsWith('ccc.db.before-restore-'));
    expect(kept).toHaveLength(1);
    expect(forced.stdout).toContain(kept[0]);
    const restored = await start({ dataDir });
    const status = async (session: Session) =>
      (await fetch(`${restored.url}/api/v2/sessions/${session.sessionId}`)).status;
    expect([await status(old), await status(later)]).toEqual([200, 404]);
    await restored.stop();
    // What made way can be made the record again.
    const back = await run({ CCC_DATA_DIR: dataDir }, [join(dataDir, kept[0] ?? ''), '--force'], 'restore');
    expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining('2 sessions') as string });
  });

  it('of a damaged file, of one with another key and of one that is no record is refused, and changes nothing', async () => {
    const parent = folder();
    const dataDir = join(parent, 'data');
    const backup = join(parent, 'record.backup');
    const server = await start({ dataDir });
    const session = await begin(server.url);
    for (let at = 0; at < 20; at += 1) await addTurn(server.url, session.conversationId, 'word '.repeat(500));
    await run({ CCC_DATA_DIR: dataDir }, [backup], 'backup');
    await server.stop();
    const before = readFileSync(join(dataDir, 'ccc.db'));

    const damaged = join(parent, 'damaged');
    const bytes = readFileSync(backup);
    for (let page = 2; page < 30; page += 3) bytes.fill(0xa5, page * 4096, page * 4096 + 2000);
    writeFileSync(damaged, bytes);
    const letter = join(parent, 'letter');
    writeFileSync(letter, 'Dear Ana, this is no record. '.repeat(300));
    const attempts = [
      [{}, damaged, /damaged|sound/],
      [{}, letter, /not a database|sound/],
      [{}, join(parent, 'missing'), /no file/],
      [{ CCC_ENCRYPTION_KEY: KEY }, backup, /not encrypted/],
    ] as const;
    for (const [env, file, why] of attempts) {
      const refused = await run({ CCC_DATA_DIR: dataDir, ...env }, [file, '--force'], 'restore');
      expect(refused, file).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(why);
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
      expect(readFileSync(join(dataDir, 'ccc.db')).equals(before)).toBe(true);
    }
    expect(readdirSync(dataDir).filter((name) => /restor/.test(name))).toEqual([]);
  });

  it('brings a record back that was destroyed, and keeps what is left of that', async () => {
    const parent = folder();
    const dataDir = join(parent, 'data');
    const backup = join(parent, 'record.backup');
    const server = await start({ dataDir });
    const session = await begin(server.url);
    await run({ CCC_DATA_DIR: dataDir }, [backup], 'backup');
    await server.stop('SIGKILL');
    const record = join(dataDir, 'ccc.db');
    expect(existsSync(`${record}-wal`)).toBe(true);
    writeFileSync(record, Buffer.alloc(20_000, 0xa5));
    const log = readFileSync(`${record}-wal`);
    const refused = await run({ CCC_DATA_DIR: dataDir }, [backup], 'restore');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot be read.*--force/) as string,
    });
    const forced = await run({ CCC_DATA_DIR: dataDir }, [backup, '--force'], 'restore');
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    const kept = readdirSync(dataDir).filter((name) => name.includes('before-restore'));
    expect(kept).toHaveLength(2);
    expect(readFileSync(join(dataDir, kept.find((name) => name.endsWith('-wal')) ?? '')).equals(log)).toBe(
      true,
    );
    const again = await start({ dataDir });
    expect((await fetch(`${again.url}/api/v2/sessions/${session.sessionId}`)).status).toBe(200);
    await again.stop();
  });
});
