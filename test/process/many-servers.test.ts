import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, dropTestDatabase } from '../support/postgres.ts';
import { createPostgresServer } from '../support/postgres-server.ts';
import type { RunningServer } from '../support/server-process.ts';
import { role, slow, startUpstream, streamed, type Upstream } from '../support/upstream.ts';
import { APPROVE } from '../http/cycles/support.ts';
import { folder, post, run, start } from './support.ts';

interface Turn {
  turn_id: string;
  turn_number: number;
  agent: string;
  kind: string;
  content: string;
}

async function database(): Promise<string> {
  const url = await createTestDatabase();
  onTestFinished(() => dropTestDatabase(url));
  return url;
}

/** Servers on one record, as behind a load balancer. */
async function team(count: number, url: string, env: Record<string, string> = {}): Promise<RunningServer[]> {
  const settings = { CCC_DATABASE_URL: url, CCC_LEASE_SECONDS: '1', ...env };
  return Promise.all(Array.from({ length: count }, () => start({ env: settings })));
}

const get = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

async function turnsOf(server: RunningServer, conversationId: string): Promise<Turn[]> {
  const { body } = await get(`${server.url}/api/v2/conversations/${conversationId}`);
  return body['turns'] as Turn[];
}

/** A cycle whose draft takes long: time enough for its server to fail. */
async function slowCycle(upstream: Upstream, server: RunningServer) {
  upstream
    .on(role('guidance'), streamed(['Name two.']))
    .on(role('draft'), slow(2_500, streamed(['The Rhine', ' and the Rhone.'])))
    .on(role('verdict'), streamed([APPROVE]));
  const { body: session } = await post(`${server.url}/api/v2/sessions`, {});
  const sessionId = String(session['session_id']);
  const { body } = await post(`${server.url}/api/v2/sessions/${sessionId}/cycles`, {
    directive: 'Name two rivers of Europe.',
  });
  return { sessionId, cycleId: String(body['cycle_id']) };
}

async function ended(server: RunningServer, cycleId: string): Promise<Record<string, unknown>> {
  let cycle: Record<string, unknown> = {};
  await expect
    .poll(
      async () => {
        cycle = (await get(`${server.url}/api/v2/cycles/${cycleId}`)).body;
        return cycle['outcome'];
      },
      { timeout: 30_000, interval: 100 },
    )
    .not.toBeNull();
  return cycle;
}

async function upstreamFor() {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  return { upstream, env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-test' } };
}

describe('three servers on one record', () => {
  it('have one memory: what is said to one is known to the others', async () => {
    const [a, b, c] = (await team(3, await database())) as [RunningServer, RunningServer, RunningServer];
    const { body: session } = await post(`${a.url}/api/v2/sessions`, {});
    const chat = (server: RunningServer, content: string) =>
      post(`${server.url}/v2/chat/completions`, {
        model: 'm',
        session_id: session['session_id'],
        covenant: { mode: 'direct' },
        messages: [{ role: 'user', content }],
      });
    const said = await chat(a, 'My sister Ana is allergic to peanuts.');
    expect(said.status).toBe(200);
    expect(said.body['memory_metadata']).toMatchObject({ degraded: null });
    const asked = await chat(b, 'What is my sister Ana allergic to?');
    expect(asked.body['memory_metadata']).toMatchObject({ degraded: null });
    expect(JSON.stringify(asked.body)).toContain('peanuts');
    const { body } = await get(`${c.url}/api/v2/sessions/${String(session['session_id'])}`);
    expect(body).toMatchObject({ total_turns: 4 });
    expect(a.stdout()).toMatch(/PostgreSQL at 127\.0\.0\.1/);
    expect(a.stdout() + a.stderr()).not.toContain('not%20a%20secret');
  });

  it('a cycle is followed on any of them, and one that is killed in the middle is taken up by another', async () => {
    const { upstream, env } = await upstreamFor();
    const [a, b] = (await team(2, await database(), env)) as [RunningServer, RunningServer];
    const { cycleId } = await slowCycle(upstream, a);
    const events = await fetch(`${b.url}/api/v2/cycles/${cycleId}/events`);
    await upstream.call(2);
    await a.stop('SIGKILL');
    const cycle = await ended(b, cycleId);
    expect(cycle).toMatchObject({ outcome: 'approved' });
    // The stream on the other server has told all of it, each event once and in order.
    const text = await events.text();
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(ids.map((_, at) => at + 1));
    expect(text).toContain('cycle_ended');
    const turns = await turnsOf(b, String(cycle['conversation_id']));
    expect(turns.filter(({ agent, kind }) => agent === 'codey' && kind === 'draft').length).toBeLessThan(2);
    expect(turns.map(({ turn_number }) => turn_number)).toEqual(turns.map((_, at) => at + 1));
  });

  it('one that was paused and wakes up cannot write into the cycle that another has taken', async () => {
    const { upstream, env } = await upstreamFor();
    const [a, b] = (await team(2, await database(), env)) as [RunningServer, RunningServer];
    const { cycleId } = await slowCycle(upstream, a);
    await upstream.call(2);
    a.child.kill('SIGSTOP');
    const cycle = await ended(b, cycleId);
    expect(cycle).toMatchObject({ outcome: 'approved' });
    const before = await turnsOf(b, String(cycle['conversation_id']));
    a.child.kill('SIGCONT');
    // It hears the answer to its own call now, and finds that the cycle has gone on elsewhere.
    await expect.poll(async () => (await get(`${a.url}/api/v2/cycles/${cycleId}`)).body).toEqual(cycle);
    await wait(500);
    expect(await turnsOf(b, String(cycle['conversation_id']))).toEqual(before);
    expect((await get(`${b.url}/api/v2/cycles/${cycleId}`)).body).toEqual(cycle);
    expect((await get(`${a.url}/health`)).status).toBe(200);
  });
});

describe('three servers under load, of which one is killed and one is paused', () => {
  it('store each acknowledged turn once and in order, and each cycle ends once', async () => {
    const { upstream, env } = await upstreamFor();
    const servers = (await team(3, await database(), env)) as [RunningServer, RunningServer, RunningServer];
    const [killed, paused, left] = servers;
    const cycles = (
      await Promise.all([...servers, ...servers].map((server) => slowCycle(upstream, server)))
    ).map(({ cycleId }) => cycleId);
    let working = true;
    /** Says one thing after the other in a conversation of its own, and notes what was acknowledged. */
    const client = async (server: RunningServer) => {
      const { body: session } = await post(`${server.url}/api/v2/sessions`, {});
      const { body: conversation } = await post(`${server.url}/api/v2/conversations`, {
        session_id: session['session_id'],
        directive: 'Begin.',
      });
      const conversationId = String(conversation['conversation_id']);
      const acknowledged: string[] = [];
      for (let at = 0; working; at += 1) {
        const answer = await post(`${server.url}/api/v2/conversations/${conversationId}/turns`, {
          agent: 'wykeve',
          content: `I say ${String(at)}`,
        }).catch(() => null);
        if (answer === null) break;
        if (answer.status === 201) acknowledged.push(String(answer.body['turn_id']));
      }
      return { conversationId, acknowledged };
    };
    const clients = Promise.all([...servers, ...servers].map(client));
    await wait(1_500);
    paused.child.kill('SIGSTOP');
    await killed.stop('SIGKILL');
    for (const cycleId of cycles) expect(await ended(left, cycleId)).toMatchObject({ outcome: 'approved' });
    paused.child.kill('SIGCONT');
    await wait(1_000);
    working = false;
    for (const { conversationId, acknowledged } of await clients) {
      expect(acknowledged.length).toBeGreaterThan(3);
      const stored: string[] = [];
      for (let from: number | null = 1; from !== null;) {
        const page = await get(
          `${left.url}/api/v2/conversations/${conversationId}?from=${String(from)}&limit=200`,
        );
        stored.push(...(page.body['turns'] as Turn[]).map(({ turn_id }) => turn_id));
        from = page.body['next_from'] as number | null;
      }
      const wanted = new Set(acknowledged);
      expect(stored.filter((id) => wanted.has(id))).toEqual(acknowledged);
    }
    for (const cycleId of cycles) {
      const events = await (await fetch(`${left.url}/api/v2/cycles/${cycleId}/events`)).text();
      expect(events.match(/^event: cycle_ended$/gm)).toHaveLength(1);
    }
  });
});

describe('a database that restarts', () => {
  it('costs errors for seconds, and nothing that was acknowledged', async () => {
    const postgres = await createPostgresServer();
    onTestFinished(() => postgres.remove());
    const [a, b] = (await team(2, await postgres.createDatabase())) as [RunningServer, RunningServer];
    const { body: session } = await post(`${a.url}/api/v2/sessions`, {});
    const { body: conversation } = await post(`${a.url}/api/v2/conversations`, {
      session_id: session['session_id'],
      directive: 'Begin.',
    });
    const conversationId = String(conversation['conversation_id']);
    const ready = async (server: RunningServer) => (await get(`${server.url}/health/ready`)).status;
    const acknowledged: string[] = [];
    const refused: number[] = [];
    let working = true;
    const client = async (server: RunningServer, name: string) => {
      for (let at = 0; working; at += 1) {
        const answer = await post(`${server.url}/api/v2/conversations/${conversationId}/turns`, {
          agent: 'wykeve',
          content: `${name} says ${String(at)}`,
        });
        if (answer.status === 201) acknowledged.push(String(answer.body['turn_id']));
        else refused.push(answer.status);
        if (answer.status !== 201) await wait(50);
      }
    };
    const clients = [client(a, 'a'), client(b, 'b'), client(a, 'c'), client(b, 'd')];
    await wait(500);
    for (const mode of ['immediate', 'fast'] as const) {
      await postgres.stop(mode);
      await expect.poll(() => ready(a), { timeout: 10_000 }).toBe(503);
      // The plain proxy does not need the record.
      const plain = await post(`${a.url}/v1/chat/completions`, {
        model: 'm',
        messages: [{ role: 'user', content: 'Hi' }],
      });
      expect(plain.status).toBe(200);
      await postgres.start();
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(before + 4);
      await expect.poll(() => ready(a), { timeout: 10_000 }).toBe(200);
    }
    working = false;
    await Promise.all(clients);
    expect(new Set(refused)).toEqual(new Set([503]));
    expect((await get(`${b.url}/health/ready`)).status).toBe(200);
    const stored = new Set<string>();
    for (let from = 1; ; from += 200) {
      const page = await get(
        `${b.url}/api/v2/conversations/${conversationId}?from=${String(from)}&limit=200`,
      );
      const turns = page.body['turns'] as Turn[];
      for (const { turn_id } of turns) stored.add(turn_id);
      if (turns.length < 200) break;
    }
    for (const id of acknowledged) expect(stored).toContain(id);
  });
});

describe('npm run migrate-store', () => {
  it('moves a record to PostgreSQL and back, the same on both sides, and goes on where it was', async () => {
    const dataDir = folder();
    const url = await database();
    const first = await start({ dataDir });
    const { body: session } = await post(`${first.url}/api/v2/sessions`, {
      user_preferences: { name: 'Ana' },
    });
    const token = { authorization: `Bearer ${String(session['token'])}` };
    for (const content of [
      'My sister Ana is allergic to peanuts.',
      'She lives in Lisbon because of her work.',
    ]) {
      await post(
        `${first.url}/v2/chat/completions`,
        { model: 'm', covenant: { mode: 'cycle' }, messages: [{ role: 'user', content }] },
        token,
      );
    }
    await first.stop();
    const there = ['--from', `sqlite:${dataDir}`, '--to', url];
    const moved = await run({}, there, 'migrate-store');
    expect(moved.stderr).toBe('');
    expect(moved.stdout).toMatch(
      /^1 sessions with \d+ turns \(\d+ rows\) are the same on both sides.*; 0 of them/,
    );
    const again = await run({}, there, 'migrate-store');
    expect(again.stdout).toMatch(/; 1 of them were there already/);
    const second = await start({ env: { CCC_DATABASE_URL: url } });
    const answer = await post(
      `${second.url}/v2/chat/completions`,
      {
        model: 'm',
        covenant: { mode: 'direct' },
        messages: [{ role: 'user', content: 'What is Ana allergic to?' }],
      },
      token,
    );
    expect(JSON.stringify(answer.body)).toContain('peanuts');
    await second.stop();
    const target = folder();
    const back = await run({}, ['--from', url, '--to', `sqlite:${target}`], 'migrate-store');
    expect(back.stderr).toBe('');
    const third = await start({ dataDir: target });
    const { body } = await get(`${third.url}/api/v2/sessions`);
    expect(body['data']).toMatchObject([{ session_id: session['session_id'] }]);
    expect((await run({}, ['--from', url, '--to', url], 'migrate-store')).stderr).toMatch(
      /One side is sqlite/,
    );
  });
});
