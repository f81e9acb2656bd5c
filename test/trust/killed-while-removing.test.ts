import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServerProcess } from '../support/server-process.ts';
import { temporaryFolder, whereIn } from './whole-server.ts';

const DAY = 86_400_000;
/** In all that is to go, and nowhere else. */
const OLD = 'Quuxolapis';
const YOUNG = 'Vexillarion';
const OLD_TURNS = 600;
const EVENTS = 40;

const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString();

/** The built server in a process of its own, on this folder; killed with the test if it still runs. */
async function start(dataDir: string) {
  const server = await startServerProcess({ dataDir });
  const kill = () => server.stop('SIGKILL');
  onTestFinished(async () => {
    if (server.child.exitCode === null && server.child.signalCode === null) await kill();
  });
  const send = (method: string, path: string, body?: unknown) =>
    fetch(server.url + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${String(response.status)} ${text}`);
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
    return (text === '' ? null : JSON.parse(text)) as any;
  };
  const projected = () =>
    expect.poll(async () => (await call('GET', '/health')).causal.lag as number, { timeout: 20_000 }).toBe(0);
  return { ...server, kill, send, call, projected };
}

type Server = Awaited<ReturnType<typeof start>>;

/** A session of many old turns and events and a few young ones. */
async function live({ call, projected }: Server) {
  const { session_id: id } = await call('POST', '/api/v2/sessions', {});
  const sessionId = String(id);
  const base = `/api/v2/sessions/${sessionId}`;
  const { conversation_id: conversation } = await call('POST', '/api/v2/conversations', {
    session_id: sessionId,
    directive: `The ${YOUNG} hangs in the hall.`,
  });
  const conversationId = String(conversation);
  await call('POST', `/api/v2/conversations/${conversationId}/turns`, {
    turns: Array.from({ length: OLD_TURNS }, (_, at) => ({
      agent: at % 2 === 0 ? 'wykeve' : 'codey',
      content: `The ${OLD} number ${String(at)} stood at the gate${String(at)} of the harbour.`,
      timestamp: daysAgo(40),
    })),
  });
  const { events } = await call('POST', `${base}/causal/events`, {
    events: Array.from({ length: EVENTS }, (_, at) => ({
      text: `The ${OLD} fell down, ${String(at)}.`,
      happened_at: new Date(Date.now() - 41 * DAY + at * 60_000).toISOString(),
    })),
  });
  for (let at = 1; at < EVENTS; at += 1)
    await call('POST', `${base}/causal/links`, {
      cause_id: events[at - 1].event_id,
      effect_id: events[at].event_id,
      relation: 'caused',
    });
  await call('GET', `${base}/causal/events/${String(events.at(-1).event_id)}/why`);
  await projected();
  return { sessionId, base, conversationId };
}

/** What the engine says of the file, once nobody has it open. */
function isSound(folder: string): void {
  const record = new Database(join(folder, 'ccc.db'));
  expect(record.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(record.pragma('foreign_key_check')).toEqual([]);
  record.close();
}

const gone = (folder: string, text: string) =>
  expect.poll(() => whereIn(folder, text), { timeout: 30_000, interval: 200 }).toEqual([]);

describe('a server that is killed', () => {
  it('while it removes what is not kept goes on after the next start, and shows nothing by halves', async () => {
    const folder = temporaryFolder();
    let server = await start(folder);
    const { base, conversationId } = await live(server);
    const total = async () => (await server.call('GET', base)).total_turns as number;
    const turns = async () =>
      (await server.call('GET', `/api/v2/conversations/${conversationId}`)).turns as {
        turn_id: string;
        content: string;
      }[];
    await server.call('PUT', `${base}/preferences`, { user_preferences: { memory_retention_days: 30 } });
    let before = OLD_TURNS + 1;
    for (const part of [0.85, 0.5]) {
      await expect
        .poll(total, { timeout: 30_000, interval: 5 })
        .toBeLessThan(Math.min(before, OLD_TURNS * part));
      await server.kill();
      isSound(folder);
      server = await start(folder);
      const shown = await turns();
      // In the middle of it, and nothing comes back.
      expect(shown.length).toBeGreaterThan(1);
      expect(shown.length).toBeLessThan(before);
      before = shown.length;
      for (const { content } of shown) expect(content).toMatch(/^The \w+ .*\.$/);
      const { results } = await server.call('POST', `${base}/context/search`, {
        query: `${OLD} harbour`,
        max_results: 200,
      });
      const ids = new Set(shown.map(({ turn_id: turnId }) => turnId));
      expect(results.length).toBeGreaterThan(0);
      for (const { turn_id: turnId } of results) expect(ids).toContain(turnId);
    }
    await expect.poll(total, { timeout: 30_000 }).toBe(1);
    await gone(folder, OLD);
    expect(await turns()).toMatchObject([{ content: `The ${YOUNG} hangs in the hall.` }]);
    const { results } = await server.call('POST', `${base}/context/search`, { query: YOUNG });
    expect(results).toHaveLength(1);
    await server.stop();
    isSound(folder);
    expect(whereIn(folder, OLD)).toEqual([]);
  });

  it('while it erases a session has it whole or not at all, and no byte of one that it said was gone', async () => {
    const origin = temporaryFolder();
    const first = await start(origin);
    const { sessionId, base, conversationId } = await live(first);
    const { session_id: other } = await first.call('POST', '/api/v2/sessions', {
      user_preferences: { name: YOUNG },
    });
    await first.stop();
    const copy = () => {
      const folder = temporaryFolder();
      cpSync(origin, folder, { recursive: true });
      return folder;
    };
    const timed = await start(copy());
    await timed.projected();
    const began = performance.now();
    await timed.call('DELETE', base);
    const took = performance.now() - began;
    await timed.kill();

    // At moments all over the erasure, and as soon as it is acknowledged.
    for (const part of [0.4, 0.8, null]) {
      const folder = copy();
      const killed = await start(folder);
      await killed.projected();
      const asked = killed.send('DELETE', base).then(
        ({ status }) => status,
        () => null,
      );
      if (part === null) expect(await asked).toBe(204);
      else await wait(took * part);
      await killed.kill();
      const answer = await asked;
      const again = await start(folder);
      const found = await again.send('GET', base);
      if (answer === 204) expect(found.status).toBe(404);
      if (found.status === 200) {
        expect(((await found.json()) as { total_turns: number }).total_turns).toBe(OLD_TURNS + 1);
        const { turns } = await again.call('GET', `/api/v2/conversations/${conversationId}?from=2`);
        expect(turns).toHaveLength(OLD_TURNS);
        expect((await again.call('GET', `${base}/causal/graph?limit=100`)).nodes).toHaveLength(EVENTS);
        expect((await again.send('DELETE', base)).status).toBe(204);
      }
      for (const path of [base, `/api/v2/conversations/${conversationId}`, `${base}/causal/graph`])
        expect((await again.send('GET', path)).status, path).toBe(404);
      for (const text of [OLD, sessionId, conversationId]) await gone(folder, text);
      expect((await again.send('GET', `/api/v2/sessions/${String(other)}`)).status).toBe(200);
      await again.stop();
      isSound(folder);
      expect(whereIn(folder, OLD)).toEqual([]);
      expect(whereIn(folder, YOUNG).length).toBeGreaterThan(0);
    }
  });
});
