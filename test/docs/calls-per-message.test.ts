import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { completion, role, startUpstream, streamed, type Upstream } from '../support/upstream.ts';

/**
 * What README.md ("What a message costs") and docs/providers.md ("Who calls") say of calls, counted at the upstream behind the server
 * that `npm start` runs.
 */
const QUIET_MS = 5_000; // An exchange is read for causes after three seconds.
const json = (value: unknown) => completion({ content: JSON.stringify(value) });
// The agents' calls are streams.
const verdict = (fields: object) =>
  streamed([
    JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null, ...fields }),
  ]);

async function start(env: Record<string, string> = {}) {
  const upstream = await startUpstream();
  upstream
    .on(null, completion({ content: 'The Volta flows south.' }))
    .on(role('guidance'), streamed(['Name the river.']))
    .on(role('draft'), streamed(['The Volta flows south.']))
    .on(role('verdict'), verdict({}))
    .on(role('causal'), json({ events: [] }));
  const server = await startServerProcess({
    env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-upstream', ...env },
  });
  return { upstream, server };
}

type Started = Awaited<ReturnType<typeof start>>;

async function ask(server: RunningServer, covenant?: object, path = '/v2/chat/completions') {
  const post = (to: string, body: object) =>
    fetch(server.url + to, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const made = await post('/api/v2/sessions', {});
  const { session_id } = (await made.json()) as { session_id: string };
  const response = await post(path, {
    ...(path.startsWith('/v2') ? { session_id } : {}),
    ...(covenant ? { covenant } : {}),
    model: 'm',
    messages: [{ role: 'user', content: 'Where does the Volta flow?' }],
  });
  const body = (await response.json()) as { usage?: { total_tokens: number } };
  return { status: response.status, tokens: body.usage?.total_tokens };
}

/** Each scripted call takes eight tokens. */
const TOKENS_A_CALL = 8;
const roles = ({ calls }: Upstream) =>
  calls.map(({ body }) => /CCC-Role: (\w+)/.exec(body)?.[1] ?? 'the message itself');

describe('what a message costs, in calls of the upstream', () => {
  const running: Started[] = [];
  const begun = async (env?: Record<string, string>) => {
    const one = await start(env);
    running.push(one);
    return one;
  };
  afterAll(async () => {
    for (const { server, upstream } of running) {
      await server.stop();
      await upstream.close();
    }
  });

  describe('as it comes', () => {
    let upstream: Upstream;
    let server: RunningServer;
    beforeAll(async () => {
      ({ upstream, server } = await begun());
    });

    it('/v1 makes one', async () => {
      expect(await ask(server, undefined, '/v1/chat/completions')).toEqual({ status: 200, tokens: 8 });
      await pause(QUIET_MS);
      expect(roles(upstream)).toEqual(['the message itself']);
    });

    it('`direct` makes one, and one in the background that is in no usage', async () => {
      upstream.calls.length = 0;
      expect((await ask(server, { mode: 'direct' })).tokens).toBe(TOKENS_A_CALL);
      expect(roles(upstream)).toEqual(['the message itself']);
      await upstream.call(2);
      await pause(500);
      expect(roles(upstream)).toEqual(['the message itself', 'causal']);
    });

    it('a supervised answer makes three, and the same one in the background', async () => {
      upstream.calls.length = 0;
      expect((await ask(server)).tokens).toBe(3 * TOKENS_A_CALL);
      expect(roles(upstream)).toEqual(['guidance', 'draft', 'verdict']);
      await upstream.call(4);
      await pause(500);
      expect(roles(upstream).slice(3)).toEqual(['causal']);
    });

    it('a draft that is sent back makes two more, at most CCC_MAX_ROUNDS times', async () => {
      upstream.calls.length = 0;
      let sentBack = 0;
      upstream
        .on(role('draft'), (res, call) => streamed([`Draft ${String(sentBack)}: the Volta.`])(res, call))
        .on(role('verdict'), (res, call) => {
          sentBack += 1;
          const issue = {
            severity: 'major',
            where: 'Volta',
            fix: `Name another river, ${String(sentBack)}.`,
          };
          const issues = [{ id: `river-${String(sentBack)}`, ...issue }];
          const resolved = sentBack === 1 ? [] : [`river-${String(sentBack - 1)}`];
          return verdict({ decision: 'revise', issues, resolved })(res, call);
        });
      expect((await ask(server)).tokens).toBe(9 * TOKENS_A_CALL);
      expect(roles(upstream)).toEqual(['guidance', ...Array<string[]>(4).fill(['draft', 'verdict']).flat()]);
    });
  });

  it('each event that is noted makes one more, where there are others that may be its cause', async () => {
    const { upstream, server } = await begun();
    const events = ['The dam broke.', 'The Volta flooded the town.'];
    upstream.on(role('causal'), (res, call) => {
      const judging = !call.body.includes('pick out of a conversation');
      const noted = events.map((text) => ({ text, turn: 1, actor: null }));
      return json(judging ? { links: [] } : { events: noted })(res, call);
    });
    await ask(server, { mode: 'direct' });
    await upstream.call(3);
    await pause(1_000);
    const background = roles(upstream).slice(1);
    expect(background.length).toBeGreaterThanOrEqual(2);
    expect(background.length).toBeLessThanOrEqual(1 + events.length);
  });

  it('none is made in the background with CCC_CAUSAL_MAX_CALLS_PER_MINUTE=0', async () => {
    const { upstream, server } = await begun({ CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '0' });
    await ask(server, { mode: 'direct' });
    await ask(server);
    await pause(QUIET_MS);
    expect(roles(upstream)).toEqual(['the message itself', 'guidance', 'draft', 'verdict']);
  });

  it('CCC_DAY_MAX_TOKENS stops cycles and nothing else; CCC_TOKENS_PER_DAY stops both modes', async () => {
    const day = await begun({ CCC_DAY_MAX_TOKENS: '1', CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '0' });
    expect((await ask(day.server)).status).toBe(429);
    expect(day.upstream.calls).toEqual([]);
    expect((await ask(day.server, { mode: 'direct' })).status).toBe(200);
    const caller = await begun({ CCC_TOKENS_PER_DAY: '8', CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '0' });
    expect((await ask(caller.server, { mode: 'direct' })).status).toBe(200);
    await expect.poll(async () => (await ask(caller.server, { mode: 'direct' })).status).toBe(429);
    expect((await ask(caller.server)).status).toBe(429);
  });
});
