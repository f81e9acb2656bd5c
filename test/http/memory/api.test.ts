import { beforeEach, describe, expect, it } from 'vitest';
import { startMemoryApi } from './support.ts';

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

describe('the memory over HTTP', () => {
  let api: Awaited<ReturnType<typeof startMemoryApi>>;
  beforeEach(async () => {
    api = await startMemoryApi();
  });

  describe('sessions', () => {
    it('are made with a token that is shown once', async () => {
      const { status, body } = await api.call('POST', '/api/v2/sessions', {
        user_preferences: { covenant_mode: 'direct', colour: 'green' },
        initial_context: { project: 'shed' },
      });
      expect(status).toBe(201);
      expect(Object.keys(body as object).sort()).toEqual([
        'created_at',
        'last_active',
        'session_id',
        'status',
        'token',
        'user_preferences',
      ]);
      expect(body).toMatchObject({
        status: 'active',
        user_preferences: { covenant_mode: 'direct', colour: 'green' },
      });
      expect(body.created_at).toMatch(TIME);
      const seen = await api.call('GET', `/api/v2/sessions/${body.session_id}`);
      expect(seen.body).toMatchObject({
        conversation_count: 0,
        total_turns: 0,
        initial_context: { project: 'shed' },
      });
      expect(JSON.stringify(seen.body)).not.toContain(body.token);
    });

    it('are listed in pages, the last used first, each once', async () => {
      const made = [];
      for (let at = 0; at < 5; at += 1) made.push((await api.newSession()).session_id);
      const listed: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const { body } = await api.call(
          'GET',
          `/api/v2/sessions?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        listed.push(...body.data.map(({ session_id: id }: { session_id: string }) => id));
        cursor = body.next_cursor;
      }
      expect(listed).toEqual(made.reverse());
    });

    it('take preferences, are archived, and are erased', async () => {
      const { session_id: id } = await api.newSession();
      const put = await api.call('PUT', `/api/v2/sessions/${id}/preferences`, {
        user_preferences: { name: 'Kitchen' },
      });
      expect(put.body.user_preferences).toEqual({ name: 'Kitchen' });
      const conversation = await api.newConversation(id);
      expect((await api.call('POST', `/api/v2/sessions/${id}/archive`)).body.status).toBe('archived');
      const refused = await api.call('POST', `/api/v2/conversations/${conversation}/turns`, {
        agent: 'wykeve',
        content: 'More.',
      });
      expect([refused.status, refused.body.error.code]).toEqual([409, 'session_archived']);
      expect((await api.call('DELETE', `/api/v2/sessions/${id}`)).status).toBe(204);
      for (const path of [`/api/v2/sessions/${id}`, `/api/v2/conversations/${conversation}`]) {
        expect((await api.call('GET', path)).status).toBe(404);
      }
    });

    it('are opened by their own token and by no other: a foreign one answers as an unknown id', async () => {
      const [mine, other] = [await api.newSession(), await api.newSession()];
      const conversation = await api.newConversation(other.session_id);
      const bearer = { authorization: `Bearer ${mine.token}` };
      expect((await api.call('GET', `/api/v2/sessions/${mine.session_id}`, undefined, bearer)).status).toBe(
        200,
      );
      const unknown = (await api.call('GET', '/api/v2/sessions/sess_none', undefined, bearer)).body;
      expect((await api.call('GET', `/api/v2/sessions/${other.session_id}`, undefined, bearer)).body).toEqual(
        unknown,
      );
      expect(
        (await api.call('DELETE', `/api/v2/sessions/${other.session_id}`, undefined, bearer)).status,
      ).toBe(404);
      expect((await api.call('GET', `/api/v2/conversations/${conversation}`, undefined, bearer)).status).toBe(
        404,
      );
      const wrong = { authorization: 'Bearer ccc_sess_wrong' };
      expect((await api.call('GET', `/api/v2/sessions/${mine.session_id}`, undefined, wrong)).status).toBe(
        401,
      );
    });
  });

  it('lists to a session token its own session and no other', async () => {
    const mine = await api.newSession();
    await api.newSession();
    const { body } = await api.call('GET', '/api/v2/sessions', undefined, {
      authorization: `Bearer ${mine.token}`,
    });
    expect(body.data.map(({ session_id: id }: { session_id: string }) => id)).toEqual([mine.session_id]);
    const wrong = await api.call('GET', '/api/v2/sessions', undefined, {
      authorization: 'Bearer ccc_sess_wrong',
    });
    expect([wrong.status, wrong.body.error.code]).toEqual([401, 'invalid_token']);
  });

  it('keeps preferences that it does not know beside those that it checks', async () => {
    const { session_id: id } = await api.newSession();
    const preferences = {
      covenant_mode: 'direct',
      max_rounds: 2,
      models: { codey: 'm' },
      tone: { dry: true },
    };
    const put = await api.call('PUT', `/api/v2/sessions/${id}/preferences`, {
      user_preferences: preferences,
    });
    expect(put.body.user_preferences).toEqual(preferences);
    for (const [wrong, param] of [
      [{ max_rounds: 99 }, 'user_preferences.max_rounds'],
      [{ models: { codey: 7 } }, 'user_preferences.models.codey'],
    ] as const) {
      const refused = await api.call('PUT', `/api/v2/sessions/${id}/preferences`, {
        user_preferences: wrong,
      });
      expect([refused.status, refused.body.error.param]).toEqual([400, param]);
    }
    expect((await api.call('GET', `/api/v2/sessions/${id}`)).body.user_preferences).toEqual(preferences);
  });

  describe('turns', () => {
    it('come in one by one or in a batch, with their own times and speakers', async () => {
      const { session_id: id } = await api.newSession();
      const conversation = await api.newConversation(id, 'An old history');
      const one = await api.call('POST', `/api/v2/conversations/${conversation}/turns`, {
        agent: 'codey',
        content: 'Hello.',
      });
      expect(one).toMatchObject({ status: 201, body: { turn_number: 2, agent: 'codey', kind: 'message' } });
      const many = await api.call('POST', `/api/v2/conversations/${conversation}/turns`, {
        turns: [
          {
            agent: 'wykeve',
            speaker: 'Ines',
            content: 'The shed is green.',
            timestamp: '2024-03-03T10:05:00+01:00',
          },
          { agent: 'wykeve', content: 'Yes.', metadata: { mood: 'calm' } },
        ],
      });
      expect(many.body.turns).toMatchObject([
        { turn_number: 3, speaker: 'Ines', timestamp: '2024-03-03T09:05:00.000Z' },
        { turn_number: 4, speaker: null, metadata: { mood: 'calm' } },
      ]);
      const seen = await api.call('GET', `/api/v2/conversations/${conversation}`);
      expect(seen.body.turns.map((turn: { content: string }) => turn.content)).toEqual([
        'An old history',
        'Hello.',
        'The shed is green.',
        'Yes.',
      ]);
    });

    it('are numbered without gap or repeat when a hundred come at once', async () => {
      const { session_id: id } = await api.newSession();
      const conversation = await api.newConversation(id);
      const answers = await Promise.all(
        Array.from({ length: 99 }, (_, at) =>
          api.call('POST', `/api/v2/conversations/${conversation}/turns`, {
            agent: 'wykeve',
            content: `Number ${String(at)}`,
          }),
        ),
      );
      expect(answers.every(({ status }) => status === 201)).toBe(true);
      const numbers = answers.map(({ body }) => body.turn_number as number).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 99 }, (_, at) => at + 2));
    });

    it('are stored once for an Idempotency-Key, and a key is good for one body', async () => {
      const { session_id: id } = await api.newSession();
      const conversation = await api.newConversation(id);
      const path = `/api/v2/conversations/${conversation}/turns`;
      const key = { 'idempotency-key': 'k1' };
      const first = await api.call('POST', path, { agent: 'wykeve', content: 'Once.' }, key);
      const again = await api.call('POST', path, { agent: 'wykeve', content: 'Once.' }, key);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      const other = await api.call('POST', path, { agent: 'wykeve', content: 'Twice.' }, key);
      expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_conflict']);
      expect((await api.call('GET', `/api/v2/conversations/${conversation}`)).body.turn_count).toBe(2);
    });

    it('of a batch with one bad turn are not stored at all', async () => {
      const { session_id: id } = await api.newSession();
      const conversation = await api.newConversation(id);
      const bad = await api.call('POST', `/api/v2/conversations/${conversation}/turns`, {
        turns: [
          { agent: 'wykeve', content: 'Good.' },
          { agent: 'nobody', content: 'Bad.' },
        ],
      });
      expect([bad.status, bad.body.error.param]).toEqual([400, 'turns.1.agent']);
      expect((await api.call('GET', `/api/v2/conversations/${conversation}`)).body.turn_count).toBe(1);
    });
  });

  it('gives the context with scores and sources, and finds by search', async () => {
    const { session_id: id } = await api.newSession();
    await api.newConversation(id, 'My sister Ana is allergic to peanuts.');
    const query = new URLSearchParams({
      directive: 'What should I not cook for Ana?',
      max_turns: '5',
      max_tokens: '400',
    });
    const { body } = await api.call('GET', `/api/v2/sessions/${id}/context?${query.toString()}`);
    expect(body).toMatchObject({
      session_id: id,
      total_conversations: 1,
      causal_narrative: null,
      lessons: [],
    });
    expect(body.relevant_turns[0]).toMatchObject({
      content: 'My sister Ana is allergic to peanuts.',
      source: 'lexical',
    });
    expect(body.relevant_turns[0].score).toBeGreaterThan(0);
    expect(body.token_count).toBeLessThanOrEqual(400);
    const found = await api.call('POST', `/api/v2/sessions/${id}/context/search`, {
      query: 'peanuts',
      max_results: 3,
    });
    expect(found.body.results).toHaveLength(1);
  });

  it('keeps the summary that a person writes, with its history', async () => {
    const { session_id: id } = await api.newSession();
    await api.call('PUT', `/api/v2/sessions/${id}/context/summary`, { summary: 'About Ana.' });
    await api.call('PUT', `/api/v2/sessions/${id}/context/summary`, { summary: 'About Ana and peanuts.' });
    const { body } = await api.call('GET', `/api/v2/sessions/${id}/context/summary`);
    expect(body.current).toMatchObject({ version: 2, summary: 'About Ana and peanuts.', author: 'person' });
    expect(body.history).toHaveLength(2);
  });

  it('keeps agent states by version', async () => {
    const { session_id: id } = await api.newSession();
    const path = `/api/v2/sessions/${id}/agents/codey/state`;
    expect((await api.call('GET', path)).body).toMatchObject({ agent: 'codey', version: 0, state: {} });
    expect((await api.call('PUT', path, { state: { tone: 'plain' } })).body.version).toBe(1);
    const late = await api.call('PUT', path, { state: {}, expected_version: 0 });
    expect([late.status, late.body.error.code]).toEqual([409, 'version_conflict']);
    expect((await api.call('GET', `/api/v2/sessions/${id}/agents/nobody/state`)).body.error.param).toBe(
      'agent',
    );
  });

  it('counts what a session holds', async () => {
    const { session_id: id } = await api.newSession();
    const conversation = await api.newConversation(id);
    await api.call('POST', `/api/v2/conversations/${conversation}/turns`, {
      turns: [
        { agent: 'codey', kind: 'answer', content: 'Yes.', timestamp: '2023-05-08T13:56:00Z' },
        { agent: 'wykeve', content: 'Good.', timestamp: '2023-05-08T14:00:00+02:00' },
      ],
    });
    const { status, body } = await api.call('GET', `/api/v2/sessions/${id}/analytics`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      session_id: id,
      conversations: 1,
      turns: {
        total: 3,
        by_agent: { wykeve: 2, codey: 1 },
        by_kind: { directive: 1, answer: 1, message: 1 },
        first_at: '2023-05-08T12:00:00.000Z',
      },
      summaries: { versions: 0, by_person: 0 },
      cycles: {},
      causal: { events: 0, links: 0 },
    });
    expect(body.turns.by_day[0]).toEqual({ day: '2023-05-08', turns: 2 });
  });

  it('shows what has been said otherwise since', async () => {
    const { session_id: id } = await api.newSession();
    const conversation = await api.newConversation(id);
    const { body } = await api.call('POST', `/api/v2/conversations/${conversation}/turns`, {
      turns: [
        { agent: 'wykeve', content: 'I live in Paris.', timestamp: '2024-01-10T12:00:00Z' },
        { agent: 'wykeve', content: 'I moved to Lyon.', timestamp: '2024-05-02T12:00:00Z' },
      ],
    });
    const context = await api.call('GET', `/api/v2/sessions/${id}/context?directive=Where+do+I+live%3F`);
    const shown = context.body.relevant_turns.map(
      (turn: { content: string; superseded_by: string | null; superseded_at: string | null }) => [
        turn.content,
        turn.superseded_by,
        turn.superseded_at,
      ],
    );
    expect(shown.slice(-2)).toEqual([
      ['I live in Paris.', body.turns[1].turn_id, '2024-05-02T12:00:00.000Z'],
      ['I moved to Lyon.', null, null],
    ]);
  });

  it('exports a session and takes it back equal', async () => {
    const { session_id: id } = await api.newSession();
    await api.newConversation(id, 'My sister Ana is allergic to peanuts.');
    const exported = await api.call('POST', `/api/v2/sessions/${id}/export`);
    expect(exported.headers.get('content-type')).toContain('application/x-ndjson');
    const there = await startMemoryApi();
    const ndjson = { 'content-type': 'application/x-ndjson' };
    const imported = await there.call('POST', '/api/v2/sessions/import', exported.body, ndjson);
    expect(imported).toMatchObject({ status: 201, body: { session_id: id, total_turns: 1 } });
    expect((await there.call('POST', `/api/v2/sessions/${id}/export`)).body).toBe(exported.body);
    expect((await there.call('POST', '/api/v2/sessions/import', exported.body, ndjson)).status).toBe(409);
    expect((await there.call('POST', '/api/v2/sessions/import', exported.body)).status).toBe(415);
  });

  it.each([
    ['POST', '/api/v2/sessions', { user_preferences: 7 }, 'user_preferences'],
    ['POST', '/api/v2/sessions', { colour: 'green' }, 'colour'],
    [
      'POST',
      '/api/v2/sessions',
      { user_preferences: { covenant_mode: 'both' } },
      'user_preferences.covenant_mode',
    ],
    ['GET', '/api/v2/sessions?limit=0', undefined, 'limit'],
    ['GET', '/api/v2/sessions?cursor=nonsense', undefined, 'cursor'],
    ['POST', '/api/v2/conversations', { directive: 'x' }, 'session_id'],
    ['POST', '/api/v2/conversations', { session_id: 'SESSION', directive: '  ' }, 'directive'],
    ['POST', '/api/v2/conversations/CONVERSATION/turns', { agent: 'wykeve' }, 'content'],
    [
      'POST',
      '/api/v2/conversations/CONVERSATION/turns',
      { agent: 'wykeve', content: 'x', timestamp: 'yesterday' },
      'timestamp',
    ],
    ['POST', '/api/v2/conversations/CONVERSATION/turns', { turns: [] }, 'turns'],
    ['GET', '/api/v2/sessions/SESSION/context', undefined, 'directive'],
    ['GET', '/api/v2/sessions/SESSION/context?directive=x&max_tokens=many', undefined, 'max_tokens'],
    [
      'POST',
      '/api/v2/sessions/SESSION/context/search',
      { query: 'x', relevance_threshold: 2 },
      'relevance_threshold',
    ],
    [
      'POST',
      '/api/v2/sessions/SESSION/context/search',
      { query: 'x', time_range: { from: '2024-02-01T00:00:00Z', to: '2024-01-01T00:00:00Z' } },
      'time_range.to',
    ],
    ['PUT', '/api/v2/sessions/SESSION/context/summary', { summary: '' }, 'summary'],
    ['PUT', '/api/v2/sessions/SESSION/context/summary', { summary: 'x'.repeat(20_001) }, 'summary'],
    ['GET', '/api/v2/sessions/SESSION/conversations?limit=101', undefined, 'limit'],
    ['GET', '/api/v2/conversations/CONVERSATION?from=0', undefined, 'from'],
    ['GET', '/api/v2/sessions/SESSION/agents/nobody/state', undefined, 'agent'],
    ['PUT', '/api/v2/sessions/SESSION/agents/codey/state', { state: [] }, 'state'],
  ])('refuses %s %s with %j and names the field', async (method, path, body, param) => {
    const { session_id: id } = await api.newSession();
    const conversation = await api.newConversation(id);
    const fill = (text: string) => text.replace('SESSION', id).replace('CONVERSATION', conversation);
    const answer = await api.call(
      method,
      fill(path),
      body && (JSON.parse(fill(JSON.stringify(body))) as object),
    );
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ type: 'invalid_request_error', param });
  });

  it.each([
    ['GET', '/api/v2/sessions/sess_none', 404, 'session_not_found'],
    ['GET', '/api/v2/conversations/conv_none', 404, 'conversation_not_found'],
    ['GET', '/api/v2/sessions/sess_none/conversations', 404, 'session_not_found'],
    ['GET', '/api/v2/sessions/sess_none/context?directive=x', 404, 'session_not_found'],
    ['POST', '/api/v2/sessions/sess_none/export', 404, 'session_not_found'],
    ['GET', '/api/v2/sessions/sess_none/analytics', 404, 'session_not_found'],
    ['GET', '/api/v2/sessions/sess_none/agents/codey/state', 404, 'session_not_found'],
    ['GET', '/api/v2/sessions/sess_none/agents/codey/lessons', 404, 'session_not_found'],
    ['GET', '/api/v2/sessions/sess_none/context/summary', 404, 'session_not_found'],
    ['POST', '/api/v2/sessions/sess_none/archive', 404, 'session_not_found'],
    ['DELETE', '/api/v2/sessions/sess_none', 404, 'session_not_found'],
    ['PATCH', '/api/v2/sessions', 405, 'method_not_allowed'],
    ['GET', '/api/v2/nothing', 404, 'unknown_route'],
  ])('answers %s %s with %i %s', async (method, path, status, code) => {
    const answer = await api.call(method, path);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/GET.*POST/);
  });

  it('says what is wrong with a body that is not JSON', async () => {
    expect((await api.call('POST', '/api/v2/sessions', '{')).body.error.code).toBe('invalid_json');
    const text = await api.call('POST', '/api/v2/sessions', '{}', { 'content-type': 'text/plain' });
    expect([text.status, text.body.error.code]).toEqual([415, 'unsupported_media_type']);
  });
});
