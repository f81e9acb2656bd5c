import { describe, expect, it } from 'vitest';
import {
  chunk,
  contextOf,
  DONE,
  eventsOf,
  say,
  startChat,
  streamOf,
  type MemoryMetadata,
} from './support.ts';

type Chat = Awaited<ReturnType<typeof startChat>>;
const messages = [{ role: 'user', content: 'Hello' }];
const report = async (response: Response) =>
  ((await response.json()) as { memory_metadata?: MemoryMetadata }).memory_metadata;
const error = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as { error: { code: string; param: string | null } }).error,
});

describe('naming the session', () => {
  const ways: [string, (chat: Chat, s: { sessionId: string; token: string }) => Promise<Response>][] = [
    ['a body field', (chat, s) => chat.post({ messages, session_id: s.sessionId })],
    ['a header', (chat, s) => chat.post({ messages }, { headers: { 'x-ccc-session-id': s.sessionId } })],
    [
      'the base URL',
      (chat, s) => chat.post({ messages }, { path: `/v2/sessions/${s.sessionId}/chat/completions` }),
    ],
    [
      'its token as API key',
      (chat, s) => chat.post({ messages }, { headers: { authorization: `Bearer ${s.token}` } }),
    ],
    [
      'all of them at once',
      (chat, s) =>
        chat.post(
          { messages, session_id: s.sessionId },
          {
            path: `/v2/sessions/${s.sessionId}/chat/completions`,
            headers: { authorization: `Bearer ${s.token}`, 'x-ccc-session-id': s.sessionId },
          },
        ),
    ],
  ];
  it.each(ways)('%s means the same', async (_, ask) => {
    const chat = await startChat();
    chat.memory.context = contextOf('remembered');
    const session = await chat.session();
    expect(await report(await ask(chat, session))).toMatchObject({
      session_id: session.sessionId,
      context_used: true,
    });
    const [seen] = chat.upstream.seen;
    expect(seen?.text).toBe(
      '{"messages":[{"role":"system","content":"remembered"},{"role":"user","content":"Hello"}],"model":"up-default"}',
    );
    expect(Object.keys(seen?.headers ?? {}).filter((name) => name.startsWith('x-ccc'))).toEqual([]);
    expect(seen?.headers.authorization).toBe('Bearer sk-server');
  });

  it.each([
    ['session_id', (s: string) => ({ session_id: s }), {}],
    ['x-ccc-session-id', () => ({}), { 'x-ccc-session-id': 'sess_other' }],
  ] as const)('two names that differ are refused, naming %s', async (param, body, headers) => {
    const chat = await startChat();
    const session = await chat.session();
    const other = await chat.session();
    const answer = await chat.post(
      { messages, ...body(other.sessionId) },
      { path: `/v2/sessions/${session.sessionId}/chat/completions`, headers },
    );
    expect(await error(answer)).toMatchObject({ status: 400, code: 'invalid_request', param });
    expect(chat.upstream.seen).toEqual([]);
  });

  it('a token that differs from the URL is refused', async () => {
    const chat = await startChat();
    const session = await chat.session();
    const other = await chat.session();
    const answer = await chat.post(
      { messages },
      {
        path: `/v2/sessions/${session.sessionId}/chat/completions`,
        headers: { authorization: `Bearer ${other.token}` },
      },
    );
    expect(await error(answer)).toMatchObject({ status: 400, param: 'authorization' });
  });

  it('unknown names are 404, a wrong token 401, an archived session 409, and nothing is sent upstream', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const other = await chat.session();
    const stranger = await report(await chat.post({ messages, session_id: other.sessionId }));
    chat.upstream.seen.length = 0;
    expect(await error(await chat.post({ messages, session_id: 'sess_none' }))).toMatchObject({
      status: 404,
      code: 'session_not_found',
    });
    const wrong = { authorization: 'Bearer ccc_sess_wrong' };
    expect(await error(await chat.post({ messages }, { headers: wrong }))).toMatchObject({
      status: 401,
      code: 'invalid_token',
    });
    for (const conversation_id of ['conv_none', stranger?.conversation_id]) {
      expect(
        await error(await chat.post({ messages, session_id: sessionId, conversation_id })),
      ).toMatchObject({
        status: 404,
        code: 'conversation_not_found',
      });
    }
    await chat.memory.dal.sessions.setStatus(sessionId, 'archived', Date.now());
    expect(await error(await chat.post({ messages, session_id: sessionId }))).toMatchObject({
      status: 409,
      code: 'session_archived',
    });
    expect(chat.upstream.seen).toEqual([]);
  });

  it("a conversation's name is enough: it belongs to one session", async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const first = await report(await chat.post({ messages, session_id: sessionId }));
    const second = await report(
      await chat.post(
        { messages: [{ role: 'user', content: 'More' }] },
        { headers: { 'x-ccc-conversation-id': first?.conversation_id ?? '' } },
      ),
    );
    expect(second).toMatchObject({ session_id: sessionId, conversation_id: first?.conversation_id });
  });

  it.each([
    ['session_id', { session_id: 7 }],
    ['memory_options.max_context_turns', { memory_options: { max_context_turns: -1 } }],
    ['memory_options.max_turns', { memory_options: { max_turns: 1 } }],
    ['covenant.mode', { covenant: { mode: 'loop' } }],
    ['covenant.criteria.1', { covenant: { criteria: ['fine', 3] } }],
    ['covenant.narration', { covenant: { narration: true } }],
  ])('a wrong %s is refused by its name', async (param, fields) => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const answer = await chat.post({ messages, ...fields }, { headers: { 'x-ccc-session-id': sessionId } });
    expect(await error(answer)).toMatchObject({ status: 400, code: 'invalid_request', param });
  });

  it.each(['sessionid', 'sessionId', 'session-id', 'SESSION_ID'])(
    'a field %s is refused: it would be an answer without memory',
    async (param) => {
      const chat = await startChat();
      const { sessionId } = await chat.session();
      expect(await error(await chat.post({ messages, [param]: sessionId }))).toMatchObject({
        status: 400,
        code: 'invalid_request',
        param,
        message: `${param} is no field of CCC: did you mean session_id?`,
      });
      expect(chat.upstream.seen).toEqual([]);
    },
  );

  it.each([
    ['conversationId', 'conversation_id', 'conv_1'],
    ['memoryOptions', 'memory_options', {}],
    ['Covenant', 'covenant', {}],
  ])('so is %s, also where a session is named', async (param, meant, value) => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const path = `/v2/sessions/${sessionId}/chat/completions`;
    expect(await error(await chat.post({ messages, [param]: value }, { path }))).toMatchObject({
      status: 400,
      param,
      message: expect.stringContaining(`did you mean ${meant}?`) as string,
    });
  });

  it('fields of such names with ids of others are theirs, and a header that an answer had may come back', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const fields = { messages, conversationId: '0f8fad5b-d9cb-469f-a165-70867728950e', sessionId: null };
    const answer = await chat.post(fields, { headers: { 'x-ccc-cycle-id': 'cyc_1' } });
    expect(answer.status).toBe(200);
    expect(JSON.parse(chat.upstream.seen[0]?.text ?? '')).toMatchObject(fields);
    // Beside the right name it cannot be meant for that.
    expect((await chat.post({ messages, session_id: sessionId, sessionId })).status).toBe(200);
  });

  it.each(['x-ccc-session', 'X-CCC-Sessionid', 'x-ccc-'])(
    'a header %s is refused: CCC has no such header',
    async (name) => {
      const chat = await startChat();
      const { sessionId } = await chat.session();
      const param = name.toLowerCase();
      expect(await error(await chat.post({ messages }, { headers: { [name]: sessionId } }))).toMatchObject({
        status: 400,
        code: 'invalid_request',
        param,
        message: `${param} is no header of a request to CCC: there are x-ccc-session-id and x-ccc-conversation-id.`,
      });
      expect(chat.upstream.seen).toEqual([]);
    },
  );

  it("fields and headers of clients and upstreams are nobody's misspelling", async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const others = { session: 's', user_id: 'u', conversation: 'c', metadata: { sessionId: 's' } };
    const headers = {
      'x-ccc-session-id': sessionId,
      'x-stainless-lang': 'js',
      'x-session-id': 's',
      'x-cccp': '1',
    };
    const answer = await chat.post({ messages, ...others }, { headers });
    expect(await report(answer)).toMatchObject({ session_id: sessionId });
    expect(JSON.parse(chat.upstream.seen[0]?.text ?? '')).toMatchObject(others);
  });

  it.each([
    ['{"messages":[}', 400, 'invalid_json'],
    ['[1]', 400, 'invalid_request'],
    [`{"messages":"${'x'.repeat(1_000_000)}"}`, 413, 'payload_too_large'],
  ])('refuses a body that cannot be taken', async (body, status, code) => {
    const chat = await startChat();
    expect(await error(await chat.post(body))).toMatchObject({ status, code });
  });

  it("leaves what is the upstream's to the upstream", async () => {
    const chat = await startChat((res) =>
      res.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"messages?"}}'),
    );
    const { sessionId } = await chat.session();
    const answer = await chat.post('{"model":"m","messages":"none"}', {
      headers: { 'x-ccc-session-id': sessionId },
    });
    expect([answer.status, await answer.text()]).toEqual([400, '{"error":{"message":"messages?"}}']);
    expect(chat.upstream.seen[0]?.text).toBe('{"model":"m","messages":"none"}');
  });
});

describe('without a session', () => {
  it('is the plain proxy: bytes up, bytes down', async () => {
    const body =
      '{ "seed":12345678901234567890,"messages":[{"role":"assistant","reasoning":"mine"}], "x":1.0 }';
    const events = [chunk({ content: 'a' }), chunk({}, 'stop'), DONE];
    const chat = await startChat(streamOf(...events));
    const answer = await chat.post(body);
    expect(await answer.text()).toBe(events.join(''));
    expect(chat.upstream.seen[0]?.text).toBe(body);
    expect(answer.headers.get('x-ccc-session-id')).toBeNull();
    expect(await chat.memory.dal.maintenance.counts()).toMatchObject({ conversations: 0, turns: 0 });
  });

  it("CCC's empty fields and the direct mode do not go upstream", async () => {
    const chat = await startChat();
    await chat.post({ session_id: null, covenant: { mode: 'direct' }, messages });
    expect(chat.upstream.seen[0]?.text).toBe('{"messages":[{"role":"user","content":"Hello"}]}');
  });

  it.each([
    ['covenant', { covenant: { mode: 'cycle' } }],
    ['memory_options', { memory_options: { use_context: true } }],
  ])('%s cannot be honoured and is refused', async (param, fields) => {
    const chat = await startChat();
    expect(await error(await chat.post({ messages, ...fields }))).toMatchObject({ status: 400, param });
  });

  it("the query is the upstream's, with and without a session", async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    for (const root of ['/v2', `/v2/sessions/${sessionId}`]) {
      await chat.post({ messages }, { path: `${root}/chat/completions?api-version=1` });
      expect(chat.upstream.seen.at(-1)?.url).toBe('/chat/completions?api-version=1');
    }
  });

  it('a model name cannot lead out of the models', async () => {
    const chat = await startChat();
    for (const name of ['..%2Fsecrets', 'a%2F..%2F..%2Fsecrets', '%2e%2e%2fsecrets']) {
      expect((await fetch(`${chat.url}/v2/models/${name}`)).status).toBe(404);
    }
    expect(chat.upstream.seen).toEqual([]);
  });

  it('other methods and paths are refused in the shape of every error', async () => {
    const chat = await startChat();
    const wrong = await fetch(`${chat.url}/v2/chat/completions`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    expect(await error(wrong)).toMatchObject({ code: 'method_not_allowed' });
    expect(await error(await chat.post({}, { path: '/v2/responses' }))).toMatchObject({
      status: 404,
      code: 'unknown_route',
    });
  });

  it('models and embeddings are the upstream’s, with and without a session in the URL', async () => {
    const chat = await startChat((res, { method, url }) => res.end(JSON.stringify({ method, url })));
    for (const root of ['/v2', '/v2/sessions/sess_1']) {
      const get = async (path: string) => (await fetch(chat.url + root + path)).json();
      expect(await get('/models?limit=2')).toEqual({ method: 'GET', url: '/models?limit=2' });
      expect(await get('/models/org%2Fname')).toEqual({ method: 'GET', url: '/models/org%2Fname' });
      const embedded = await chat.post('{"input": [1.0]}', { path: `${root}/embeddings` });
      expect(await embedded.json()).toEqual({ method: 'POST', url: '/embeddings' });
      expect(chat.upstream.seen.at(-1)?.text).toBe('{"input": [1.0]}');
    }
  });
});

describe('finding the conversation of a client that names none', () => {
  const user = (content: string) => ({ role: 'user', content });
  const assistant = (content: string) => ({ role: 'assistant', content });
  /** Says the given answer to the history and gives the conversation it went to. */
  const turn = async (chat: Chat, sessionId: string, history: object[], answer: string) => {
    chat.upstream.script = say(answer);
    return (await report(await chat.post({ session_id: sessionId, messages: history })))?.conversation_id;
  };

  it('a history that is sent again continues its conversation, also over a stream and with a new system message', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const history: object[] = [user('My name is Ada.')];
    const first = await turn(
      chat,
      sessionId,
      [{ role: 'system', content: 'Monday' }, ...history],
      'Hello  Ada.\n',
    );
    history.push(assistant('Hello Ada.'), user('What is it?'));
    expect(await turn(chat, sessionId, [{ role: 'system', content: 'Tuesday' }, ...history], 'Ada.')).toBe(
      first,
    );
    history.push(assistant('Ada.'), user('Sure?'));
    chat.upstream.script = streamOf(chunk({ content: 'Yes.' }), chunk({}, 'stop'), DONE);
    const response = await chat.post({ session_id: sessionId, stream: true, messages: history });
    expect(eventsOf(await response.text()).at(-2)).toMatchObject({
      memory_metadata: { conversation_id: first },
    });
    const turns = await chat.memory.turns(first);
    expect(turns.map((t) => t.content)).toEqual([
      'My name is Ada.',
      'Hello  Ada.\n',
      'What is it?',
      'Ada.',
      'Sure?',
      'Yes.',
    ]);
  });

  it('two conversations that began alike are told apart by their answers', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const one = await turn(chat, sessionId, [user('Hi')], 'Hello, what can I do?');
    const two = await turn(chat, sessionId, [user('Hi')], 'Good day to you.');
    expect(two).not.toBe(one);
    const next = (answer: string) =>
      turn(chat, sessionId, [user('Hi'), assistant(answer), user('Go on')], 'Well.');
    expect(await next('Hello, what can I do?')).toBe(one);
    expect(await next('Good day to you.')).toBe(two);
    const third = await next('An answer of another server.');
    expect([one, two]).not.toContain(third);
  });

  it('never leads into another session', async () => {
    const chat = await startChat();
    const mine = await chat.session();
    const other = await chat.session();
    const history = [user('Hi'), assistant('Hello.'), user('Go on')];
    const one = await turn(chat, mine.sessionId, [user('Hi')], 'Hello.');
    expect(await turn(chat, other.sessionId, history, 'Well.')).not.toBe(one);
  });

  it('equal requests at the same time are two conversations', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const waiting: (() => void)[] = [];
    chat.upstream.script = (res, seen) => waiting.push(() => void say('Same.')(res, seen));
    const both = [1, 2].map(() => chat.post({ session_id: sessionId, messages: [user('Hi')] }));
    while (waiting.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const go of waiting) go();
    const [a, b] = await Promise.all(both.map(async (response) => report(await response)));
    expect(a?.conversation_id).not.toBe(b?.conversation_id);
    expect((await chat.memory.turns(a?.conversation_id)).map((t) => t.kind)).toEqual(['directive', 'answer']);
  });
});
