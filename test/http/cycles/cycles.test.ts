import { describe, expect, it } from 'vitest';
import { hang, role, streamed } from '../../support/upstream.ts';
import { APPROVE, ASK, eventsOf, REVISE, startOn, startServer } from './support.ts';

const directive = 'Name two rivers.';
type Server = Awaited<ReturnType<typeof startServer>>;

/** Guidance, two drafts, two verdicts. */
function scriptTwoRounds({ upstream }: Server): void {
  upstream
    .expect(role('guidance'), streamed(['Two, ', 'no more.']))
    .expect(role('draft'), streamed(['The Rhine.']))
    .expect(role('verdict'), streamed([REVISE]))
    .expect(role('draft'), streamed(['The Rhine and ', 'the Rhône.']))
    .expect(role('verdict'), streamed([APPROVE]));
}
const start = async ({ api, sessionId }: Server, body: object = {}) =>
  (await api.post(`/api/v2/sessions/${sessionId}/cycles`, { directive, ...body })).body.cycle_id as string;

describe('POST /api/v2/sessions/:id/cycles', () => {
  it('starts a cycle in a new conversation and says where it can be found', async () => {
    const server = await startServer();
    scriptTwoRounds(server);
    const { status, headers, body } = await server.api.post(`/api/v2/sessions/${server.sessionId}/cycles`, {
      directive,
      criteria: ['names two rivers'],
      temperature: 0.2,
      presence_penalty: 0.5,
      frequency_penalty: -0.5,
      max_rounds: 1,
    });
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/api/v2/cycles/${body.cycle_id}`);
    expect(body).toMatchObject({ session_id: server.sessionId, outcome: null });
    const cycle = await server.api.rested(body.cycle_id);
    // Its criterion was not answered: the last permitted round ends in a review, and that one decides.
    expect(cycle).toMatchObject({
      status: 'stopped',
      outcome: 'max_rounds',
      directive,
      rounds: 2,
      max_rounds: 1,
      answer: 'The Rhine and the Rhône.',
      criteria: [{ id: 'c1', text: 'names two rivers' }],
    });
    expect(cycle.verdicts.map(({ decision }: { decision: string }) => decision)).toEqual([
      'revise',
      'approve',
    ]);
    expect(cycle.steps.map(({ kind, status: end }: { kind: string; status: string }) => [kind, end])).toEqual(
      [
        ['guide', 'done'],
        ['draft', 'done'],
        ['review', 'done'],
        ['draft', 'done'],
        ['review', 'done'],
      ],
    );
    expect(cycle.steps[0].input.prompt_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(server.upstream.calls[1]?.json).toMatchObject({
      model: 'default-model',
      temperature: 0.2,
      presence_penalty: 0.5,
      frequency_penalty: -0.5,
    });
    const conversation = await server.memory.getConversation(body.conversation_id);
    expect(conversation).toMatchObject({ directive, turnCount: 7 });
    server.upstream.assertComplete();
  });

  it('gives Codey what was said before when a conversation is continued', async () => {
    const server = await startServer();
    scriptTwoRounds(server);
    const first = await server.api.rested(await start(server));
    scriptTwoRounds(server);
    await server.api.rested(
      await start(server, { directive: 'Two more.', conversation_id: first.conversation_id }),
    );
    const { messages } = server.upstream.calls[6]?.json as { messages: { role: string; content: string }[] };
    expect(messages.filter(({ role: who }) => who !== 'system')).toEqual([
      { role: 'user', content: directive },
      { role: 'assistant', content: 'The Rhine and the Rhône.' },
      { role: 'user', content: 'Two more.' },
    ]);
  });

  it('takes messages in place of a directive, without what this server has put beside an answer', async () => {
    const server = await startServer();
    scriptTwoRounds(server);
    const messages = [
      { role: 'system', content: 'Be plain.' },
      { role: 'user', content: 'Hello.' },
      {
        role: 'assistant',
        content: 'Hello.',
        reasoning_content: '[Codey · round 1 · draft]\nHello.',
        covenant: {},
      },
      { role: 'user', content: [{ type: 'text', text: directive }] },
    ];
    const cycle = await server.api.rested(await start(server, { directive: undefined, messages }));
    expect(cycle.directive).toBe(directive);
    const sent = server.upstream.calls[1]?.json as { messages: object[] };
    expect(sent.messages.at(-2)).toEqual({ role: 'assistant', content: 'Hello.' });
    expect(sent.messages.at(-1)).toEqual(messages.at(-1));
  });

  it.each([
    [{}, 'directive'],
    [{ directive: '' }, 'directive'],
    [{ directive, messages: [{ role: 'user', content: 'x' }] }, 'directive'],
    [{ messages: [{ role: 'assistant', content: 'x' }] }, 'messages'],
    [{ directive, max_rounds: 11 }, 'max_rounds'],
    [{ directive, criteria: ['', 'x'] }, 'criteria.0'],
    [{ directive, made_up: 1 }, 'made_up'],
  ])('refuses %j and names the field', async (body, param) => {
    const { api, sessionId } = await startServer();
    const { status, body: answer } = await api.post(`/api/v2/sessions/${sessionId}/cycles`, body);
    expect([status, answer.error.param]).toEqual([400, param]);
  });

  it('knows neither strange sessions nor other sessions’ conversations', async () => {
    const { api, memory, sessionId } = await startServer();
    expect((await api.post('/api/v2/sessions/none/cycles', { directive })).status).toBe(404);
    const other = (await memory.createSession({})).session.sessionId;
    const { conversation } = await memory.createConversation({ sessionId: other, directive: 'x' });
    const { status, body } = await api.post(`/api/v2/sessions/${sessionId}/cycles`, {
      directive,
      conversation_id: conversation.conversationId,
    });
    expect([status, body.error.code]).toEqual([404, 'conversation_not_found']);
    await memory.archiveSession(sessionId);
    expect((await api.post(`/api/v2/sessions/${sessionId}/cycles`, { directive })).status).toBe(409);
  });
});

describe('GET /api/v2/sessions/:id/cycles', () => {
  it('lists the newest first, in pages', async () => {
    const server = await startServer();
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      scriptTwoRounds(server);
      ids.unshift((await server.api.rested(await start(server))).cycle_id);
    }
    const path = `/api/v2/sessions/${server.sessionId}/cycles?limit=2`;
    const first = (await server.api.get(path)).body;
    const second = (await server.api.get(`${path}&cursor=${encodeURIComponent(first.next_cursor)}`)).body;
    const listed = [...first.data, ...second.data].map(({ cycle_id: id }: { cycle_id: string }) => id);
    expect(listed).toEqual(ids);
    expect(second.next_cursor).toBeNull();
    expect((await server.api.get('/api/v2/sessions/none/cycles')).status).toBe(404);
  });
});

describe('GET /api/v2/cycles/:id/events', () => {
  it('tells everything by name while it happens, and again from any id, with no gap and nothing twice', async () => {
    const server = await startServer();
    scriptTwoRounds(server);
    const path = `/api/v2/cycles/${await start(server)}/events`;
    const live = await server.api.events(path);
    const stored = live.filter(({ id }) => id !== undefined);
    expect(stored.map(({ id, event }) => [id, event])).toEqual(
      [
        'cycle_started',
        'step_started',
        'guidance',
        'step_started',
        'draft',
        'step_started',
        'verdict',
        'step_started',
        'draft',
        'step_started',
        'verdict',
        'cycle_ended',
      ].map((name, at) => [String(at + 1), name]),
    );
    const said = live
      .filter(({ event }) => event === 'delta')
      .map(({ data }) => JSON.parse(data) as { round: number; step: string; text: string });
    const second = said.filter(({ round, step }) => round === 2 && step === 'draft');
    expect(second.map(({ text }) => text).join('')).toBe('The Rhine and the Rhône.');
    for (const after of [0, 1, 7, 11, 12, 99]) {
      expect(await server.api.events(`${path}?after=${String(after)}`)).toEqual(stored.slice(after));
      expect(await server.api.events(path, { 'last-event-id': String(after) })).toEqual(stored.slice(after));
    }
  });

  it('joins a cycle that is under way', async () => {
    const server = await startServer();
    let finish: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    server.upstream
      .expect(role('guidance'), streamed(['Two.']))
      .expect(role('draft'), async (res, call) => {
        await gate;
        await streamed(['Rhine, Rhône.'])(res, call);
      })
      .expect(role('verdict'), streamed([APPROVE]));
    const cycleId = await start(server);
    await server.upstream.call(2);
    const names: string[] = [];
    for await (const { event } of eventsOf(
      await fetch(`${server.url}/api/v2/cycles/${cycleId}/events?after=3`),
    )) {
      names.push(event ?? '');
      if (names.length === 1) finish();
    }
    expect(names.filter((name) => name !== 'delta')).toEqual([
      'step_started',
      'draft',
      'step_started',
      'verdict',
      'cycle_ended',
    ]);
  });

  it('is a 404 for an unknown cycle and a 400 for an id that is none', async () => {
    const server = await startServer();
    expect((await server.api.get('/api/v2/cycles/none/events')).status).toBe(404);
    const bad = await server.api.get('/api/v2/cycles/none/events?after=x');
    expect([bad.status, bad.body.error.param]).toEqual([400, 'after']);
  });
});

describe('POST /api/v2/cycles/:id/…', () => {
  it('cancel stops the upstream call at once and keeps what was spent', async () => {
    const server = await startServer();
    server.upstream.expect(role('guidance'), streamed(['Go.'])).expect(role('draft'), hang());
    const cycleId = await start(server);
    const call = await server.upstream.call(2);
    const before = performance.now();
    const { status, body } = await server.api.post(`/api/v2/cycles/${cycleId}/cancel`);
    expect((await call.aborted) - before).toBeLessThan(100);
    expect([status, body.outcome]).toEqual([200, 'client_cancelled']);
    const cycle = (await server.api.get(`/api/v2/cycles/${cycleId}`)).body;
    expect(cycle.usage_by_agent.codey.prompt_tokens).toBeGreaterThan(0);
    expect((await server.api.post(`/api/v2/cycles/${cycleId}/cancel`)).status).toBe(409);
    expect((await server.api.post(`/api/v2/cycles/${cycleId}/resume`)).status).toBe(409);
    expect((await server.api.post('/api/v2/cycles/none/cancel')).status).toBe(404);
  });

  it('resume goes on with a cycle that was stopped with the server, and only once', async () => {
    const server = await startServer();
    server.upstream.expect(role('guidance'), streamed(['Go.'])).expect(role('draft'), hang());
    const cycleId = await start(server);
    await server.upstream.call(2);
    await server.cycles.drain(0);
    expect((await server.api.get(`/api/v2/cycles/${cycleId}`)).body.outcome).toBe('drained');
    // The next server, on the same record.
    const next = await startOn(server.file, server.upstream.baseUrl);
    server.upstream
      .expect(role('draft'), streamed(['Rhine, Rhône.']))
      .expect(role('verdict'), streamed([APPROVE]));
    const resumed = await Promise.all([1, 2, 3].map(() => next.api.post(`/api/v2/cycles/${cycleId}/resume`)));
    expect(resumed.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    expect(await next.api.rested(cycleId)).toMatchObject({ outcome: 'approved', answer: 'Rhine, Rhône.' });
    server.upstream.assertComplete();
    const events = await next.api.events(`/api/v2/cycles/${cycleId}/events`);
    expect(events.map(({ event }) => event)).toEqual([
      'cycle_started',
      'step_started',
      'guidance',
      'step_started',
      'cycle_ended',
      'resumed',
      'step_started',
      'draft',
      'step_started',
      'verdict',
      'cycle_ended',
    ]);
    const { conversation_id: conversationId } = (await next.api.get(`/api/v2/cycles/${cycleId}`)).body;
    const turns = await next.memory.listTurns({ conversationId, fromNumber: 1, limit: 50 });
    expect(turns.map(({ kind }) => kind)).toEqual(['directive', 'guidance', 'draft', 'verdict', 'answer']);
  });

  it('decision delivers, drops or redirects the draft that waits, and no other', async () => {
    const server = await startServer();
    const waiting = async () => {
      server.upstream
        .expect(role('guidance'), streamed(['Go.']))
        .expect(role('draft'), streamed(['Which ones?']))
        .expect(role('verdict'), streamed([ASK]));
      return server.api.rested(await start(server));
    };
    const decide = (cycleId: string, body: object) =>
      server.api.post(`/api/v2/cycles/${cycleId}/decision`, body);
    const turnsOf = async ({ conversation_id: conversationId }: { conversation_id: string }) =>
      (await server.memory.listTurns({ conversationId, fromNumber: 1, limit: 50 })).map(({ kind }) => kind);

    const first = await waiting();
    expect(first).toMatchObject({ status: 'awaiting_decision', outcome: 'awaiting_decision' });
    expect(await turnsOf(first)).not.toContain('answer');
    const { cycle_id: id, draft_hash } = first;
    expect((await decide(id, { decision: 'maybe', draft_hash })).body.error.param).toBe('decision');
    expect((await decide(id, { decision: 'steer', draft_hash })).body.error.param).toBe('text');
    const stale = await decide(id, { decision: 'approve', draft_hash: 'another' });
    expect([stale.status, stale.body.error.param]).toEqual([409, 'draft_hash']);
    expect((await decide(id, { decision: 'approve', draft_hash })).status).toBe(202);
    expect(await server.api.rested(id)).toMatchObject({ outcome: 'approved', answer: 'Which ones?' });
    expect(await turnsOf(first)).toEqual(['directive', 'guidance', 'draft', 'verdict', 'answer']);
    expect((await decide(id, { decision: 'approve', draft_hash })).status).toBe(409);

    const second = await waiting();
    await decide(second.cycle_id, { decision: 'reject', draft_hash: second.draft_hash });
    expect(await server.api.rested(second.cycle_id)).toMatchObject({ status: 'stopped', answer: null });
    expect(await turnsOf(second)).not.toContain('answer');

    const third = await waiting();
    server.upstream
      .expect(role('draft'), streamed(['Rhine, Rhône.']))
      .expect(role('verdict'), streamed([APPROVE]));
    const steer = { decision: 'steer', text: 'European ones.', draft_hash: third.draft_hash };
    await decide(third.cycle_id, steer);
    expect(await server.api.rested(third.cycle_id)).toMatchObject({ outcome: 'approved', rounds: 2 });
    server.upstream.assertComplete();
  });

  it('stops spending when its session is erased, and leaves nothing behind', async () => {
    const server = await startServer();
    server.upstream.expect(role('guidance'), hang());
    const cycleId = await start(server);
    const call = await server.upstream.call(1);
    const path = `/api/v2/sessions/${server.sessionId}`;
    expect((await fetch(server.url + path, { method: 'DELETE' })).status).toBe(204);
    await call.aborted;
    expect((await server.api.get(`/api/v2/cycles/${cycleId}`)).status).toBe(404);
    expect((await server.api.get(path)).status).toBe(404);
  });

  it('cancel also ends a cycle that waits for somebody', async () => {
    const server = await startServer();
    server.upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['Which ones?']))
      .expect(role('verdict'), streamed([ASK]));
    const { cycle_id: id } = await server.api.rested(await start(server));
    expect((await server.api.post(`/api/v2/cycles/${id}/cancel`)).body.outcome).toBe('client_cancelled');
  });
});

describe('a session’s token', () => {
  it('opens the cycles of its session and no others: a foreign one answers as an unknown id', async () => {
    const server = await startServer();
    server.upstream
      .on(role('guidance'), streamed(['Go.']))
      .on(role('draft'), streamed(['Rhine, Rhône.']))
      .on(role('verdict'), streamed([APPROVE]));
    const post = (path: string, body: unknown, token?: string) =>
      fetch(server.url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        body: JSON.stringify(body),
      });
    const session = async () =>
      (await (await post('/api/v2/sessions', {})).json()) as { session_id: string; token: string };
    const [mine, other] = [await session(), await session()];
    const cycles = `/api/v2/sessions/${mine.session_id}/cycles`;
    expect((await post(cycles, { directive: 'Name two rivers.' }, other.token)).status).toBe(404);
    const started = await post(cycles, { directive: 'Name two rivers.' }, mine.token);
    expect(started.status).toBe(202);
    const path = started.headers.get('location') ?? '';
    const get = (token: string, below = '') =>
      fetch(server.url + path + below, { headers: { authorization: `Bearer ${token}` } });
    expect((await get(mine.token)).status).toBe(200);
    for (const below of ['', '/events']) expect((await get(other.token, below)).status).toBe(404);
    expect((await post(`${path}/cancel`, {}, other.token)).status).toBe(404);
  });
});
