import { describe, expect, it, vi } from 'vitest';
import {
  chunk,
  completion,
  contextOf,
  DONE,
  eventsOf,
  say,
  startChat,
  streamOf,
  type MemoryMetadata,
} from './support.ts';

const hello = { model: 'm', messages: [{ role: 'user', content: 'My sister Ana is allergic to peanuts.' }] };
const metadata = async (response: Response) =>
  ((await response.json()) as { memory_metadata: MemoryMetadata }).memory_metadata;

describe('direct mode, whole answers', () => {
  it('stores directive and answer before it reports them', async () => {
    const chat = await startChat(say('I will remember that.'));
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, session_id: sessionId });
    const report = await metadata(response);
    const turns = await chat.memory.turns(report.conversation_id);
    expect(turns.map((turn) => [turn.turnNumber, turn.agent, turn.kind, turn.content])).toEqual([
      [1, 'wykeve', 'directive', 'My sister Ana is allergic to peanuts.'],
      [2, 'codey', 'answer', 'I will remember that.'],
    ]);
    expect(report).toEqual({
      session_id: sessionId,
      conversation_id: turns[0]?.conversationId,
      context_used: false,
      relevant_turns: 0,
      context_tokens: 0,
      turn_ids: turns.map((turn) => turn.turnId),
      degraded: null,
    });
    expect(response.headers.get('x-ccc-session-id')).toBe(sessionId);
    expect(response.headers.get('x-ccc-conversation-id')).toBe(report.conversation_id);
    expect(turns[1]?.metadata).toMatchObject({
      model: 'up-model',
      finish_reason: 'stop',
      usage: { total_tokens: 8 },
    });
  });

  it("changes nothing else of the upstream's answer", async () => {
    const odd =
      '{"id" : "x","seed":12345678901234567890, "choices":[{"index":0,"message":{"content":"1.0"},"finish_reason":"stop"}],"n":1.0 }';
    const chat = await startChat((res) => {
      res.writeHead(200, {
        'content-type': 'application/json',
        'x-ratelimit-limit-requests': '60',
        'openai-version': '2020',
      });
      res.end(odd);
    });
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, session_id: sessionId });
    const text = await response.text();
    expect(text.startsWith(odd.slice(0, -2))).toBe(true);
    expect(text.slice(odd.length - 2)).toMatch(/^,"memory_metadata":\{.*\} \}$/);
    expect(response.headers.get('x-ratelimit-limit-requests')).toBe('60');
    expect(response.headers.get('openai-version')).toBe('2020');
  });

  it('sends the upstream the body without its own fields, all else byte for byte, and memory after the instructions', async () => {
    const chat = await startChat();
    chat.memory.context = contextOf('Ana: "peanuts"');
    const { sessionId } = await chat.session();
    const response = await chat.post(
      `{"seed":12345678901234567890, "session_id":"${sessionId}","temperature":1.0,"messages":[ {"role":"system","content":"Be brief."},{"role":"user","content":"Hi"} ],"memory_options":{"max_context_turns":4},"x_unknown":[1.50],"model":"m"}`,
    );
    expect(chat.upstream.seen[0]?.text).toBe(
      '{"seed":12345678901234567890, "temperature":1.0,"messages":[ {"role":"system","content":"Be brief."},{"role":"system","content":"Ana: \\"peanuts\\""},{"role":"user","content":"Hi"} ],"x_unknown":[1.50],"model":"m"}',
    );
    expect(chat.upstream.seen[0]?.headers.authorization).toBe('Bearer sk-server');
    expect(await metadata(response)).toMatchObject({ context_used: true, context_tokens: 7 });
    expect(chat.memory.contextRequests[0]).toMatchObject({
      maxTurns: 4,
      directive: 'Hi',
      alreadySent: ['Be brief.', 'Hi'],
    });
  });

  it('speaks as developer to a client that does, and adds nothing when memory is off', async () => {
    const chat = await startChat();
    chat.memory.context = contextOf('remembered');
    const { sessionId } = await chat.session();
    const messages = [{ role: 'developer', content: 'Be brief.' }, ...hello.messages];
    await chat.post({ session_id: sessionId, messages });
    await chat.post({ session_id: sessionId, messages, memory_options: { use_context: false } });
    const sent = chat.upstream.seen.map((seen) => JSON.parse(seen.text) as { messages: object[] });
    expect(sent[0]?.messages[1]).toEqual({ role: 'developer', content: 'remembered' });
    expect(sent[1]?.messages).toEqual(messages);
    expect(chat.memory.contextRequests).toHaveLength(1);
  });

  it.each([401, 429, 500])('passes an upstream %i on unchanged', async (status) => {
    const body = '{"error": {"message":"no","type":"t","code":null,"param":null}}';
    const chat = await startChat((res) => {
      res.writeHead(status, {
        'content-type': 'application/json',
        'retry-after': '7',
        'x-should-retry': 'true',
      });
      res.end(body);
    });
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, session_id: sessionId });
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(body);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('x-should-retry')).toBe('true');
  });

  it('does not store a directive twice when the client tries again', async () => {
    const chat = await startChat((res) => res.writeHead(500).end('{}'));
    const { sessionId } = await chat.session();
    await chat.post({ ...hello, session_id: sessionId });
    // The directive is stored beside the answer; wait for it as a client's back-off would.
    await vi.waitFor(async () => expect((await chat.memory.dal.maintenance.counts()).turns).toBe(1));
    chat.upstream.script = say('Now it works.');
    const report = await metadata(await chat.post({ ...hello, session_id: sessionId }));
    const turns = await chat.memory.turns(report.conversation_id);
    expect(turns.map((turn) => turn.kind)).toEqual(['directive', 'answer']);
    expect(report.turn_ids).toEqual(turns.map((turn) => turn.turnId));
    expect((await chat.memory.dal.sessions.get(sessionId))?.conversationCount).toBe(1);
  });

  it('keeps pictures out of the record and notes that they were there', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const content = [
      { type: 'text', text: 'What is' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(5_000)}` } },
      { type: 'image_url', image_url: { url: 'https://example.org/cat.png' } },
      { type: 'text', text: 'this?' },
    ];
    const report = await metadata(
      await chat.post({ session_id: sessionId, model: 'm', messages: [{ role: 'user', content }] }),
    );
    const [directive] = await chat.memory.turns(report.conversation_id);
    expect(directive?.content).toBe('What is\nthis?');
    expect(directive?.metadata['attachments']).toEqual([
      { type: 'image_url', media_type: 'image/png' },
      { type: 'image_url', url: 'https://example.org/cat.png' },
    ]);
    expect(JSON.parse(chat.upstream.seen[0]!.text)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content }],
    });
  });

  it('keeps tool calls and their results as tool turns of the same exchange', async () => {
    const call = {
      id: 'call_1',
      type: 'function',
      function: { name: 'weather', arguments: '{"city":"Lagos"}' },
    };
    const assistant = {
      role: 'assistant',
      content: null,
      tool_calls: [call],
      reasoning_content: 'I need the weather.',
    };
    const chat = await startChat((res) => res.end(JSON.stringify(completion(assistant, 'tool_calls'))));
    const { sessionId } = await chat.session();
    const tools = [{ type: 'function', function: { name: 'weather' } }];
    const first = await metadata(await chat.post({ ...hello, session_id: sessionId, tools }));
    chat.upstream.script = say('It rains.');
    const messages = [
      ...hello.messages,
      assistant,
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ];
    const second = await metadata(await chat.post({ ...hello, messages, session_id: sessionId, tools }));
    expect(second.conversation_id).toBe(first.conversation_id);
    const turns = await chat.memory.turns(first.conversation_id);
    expect(turns.map((turn) => [turn.agent, turn.kind, turn.content])).toEqual([
      ['wykeve', 'directive', hello.messages[0]!.content],
      ['codey', 'tool', 'weather({"city":"Lagos"})'],
      ['codey', 'tool', 'rain'],
      ['codey', 'answer', 'It rains.'],
    ]);
    expect(turns[1]?.metadata['tool_calls']).toEqual([call]);
    // The upstream's own thoughts go back to it while its tool is at work.
    expect(chat.upstream.seen[1]?.text).toContain('I need the weather.');
  });

  it('strips what this server and others put beside old answers', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
    const messages = [
      { role: 'user', content: 'one' },
      { role: 'assistant', reasoning: 'r', content: 'two', reasoning_content: 'r', covenant: {} },
      { role: 'user', content: 'three' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [call],
        reasoning_content: '[Codey · round 1 · draft]\nx',
        reasoning: 'own',
      },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ];
    await chat.post({ session_id: sessionId, messages });
    expect((JSON.parse(chat.upstream.seen[0]!.text) as { messages: object[] }).messages).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
      { role: 'assistant', content: null, tool_calls: [call], reasoning: 'own' },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ]);
  });

  it('stores nothing when told so, and says so', async () => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    const report = await metadata(
      await chat.post({ ...hello, session_id: sessionId, memory_options: { auto_store_response: false } }),
    );
    expect(report).toMatchObject({ turn_ids: [], conversation_id: null, degraded: null });
    expect(await chat.memory.dal.maintenance.counts()).toMatchObject({ conversations: 0, turns: 0 });
  });
});

describe('direct mode, streams', () => {
  const words = [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hel' }),
    chunk({ content: 'lo' }),
    chunk({}, 'stop'),
  ];

  it("passes the upstream's bytes on and adds one chunk before [DONE]", async () => {
    const chat = await startChat(streamOf(': hi\n\n', ...words, DONE));
    const { sessionId } = await chat.session();
    const text = await (await chat.post({ ...hello, stream: true, session_id: sessionId })).text();
    const sent = [': hi\n\n', ...words].join('');
    expect(text.startsWith(sent)).toBe(true);
    expect(text.endsWith(DONE)).toBe(true);
    const [extra, done, ...rest] = eventsOf(text.slice(sent.length)) as [Record<string, unknown>, string];
    expect(done).toBe('[DONE]');
    expect(rest).toEqual([]);
    expect(extra).toMatchObject({
      id: 'chatcmpl-up',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'up-model',
      choices: [],
    });
    const report = extra['memory_metadata'] as MemoryMetadata;
    const turns = await chat.memory.turns(report.conversation_id);
    expect(turns.map((turn) => turn.content)).toEqual([hello.messages[0]!.content, 'Hello']);
    expect(report.turn_ids).toEqual(turns.map((turn) => turn.turnId));
  });

  it('keeps the usage chunk of a client that asked for it, and asks for none itself', async () => {
    const usage = `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } })}\n\n`;
    const chat = await startChat(streamOf(...words, usage, DONE));
    const { sessionId } = await chat.session();
    const body = { ...hello, stream: true, session_id: sessionId };
    const text = await (await chat.post({ ...body, stream_options: { include_usage: true } })).text();
    expect(text).toContain(usage);
    await (await chat.post(body)).text();
    expect(chat.upstream.seen[1]?.text).not.toContain('stream_options');
  });

  it('passes each event on when it comes, however it is cut into packets', async () => {
    let finish: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    const bytes = Buffer.from(words.join('').replaceAll('\n\n', '\r\n\r\n') + 'data: [DONE]\r\n\r\n');
    const chat = await startChat(async (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const first = bytes.indexOf('\r\n\r\n') + 4;
      res.write(bytes.subarray(0, first));
      await gate;
      for (const byte of bytes.subarray(first)) res.write(Buffer.of(byte));
      res.end();
    });
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, stream: true, session_id: sessionId });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain('"role":"assistant"');
    finish();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      rest += value;
    }
    expect(rest).toContain('"content":"lo"');
    expect(rest).toContain('memory_metadata');
    expect(rest.endsWith('data: [DONE]\r\n\r\n')).toBe(true);
  });

  it.each([
    ['dies', (res: { destroy(): void }) => setImmediate(() => res.destroy())],
    ['ends without a reason', (res: { end(): void }) => res.end()],
  ])('says so when the upstream %s in the middle, and keeps the partial answer as such', async (_, end) => {
    const chat = await startChat((res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chunk({ role: 'assistant', content: 'Half an ' }), () => end(res));
    });
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, stream: true, session_id: sessionId });
    const events = eventsOf(await response.text());
    expect(events.at(-1)).toMatchObject({ error: { code: 'upstream_unreachable', type: 'api_error' } });
    expect(events).not.toContain('[DONE]');
    const turns = await chat.memory.turns(response.headers.get('x-ccc-conversation-id'));
    expect(turns.at(-1)).toMatchObject({
      content: 'Half an ',
      metadata: { incomplete: 'upstream_broke_off' },
    });
  });

  it.each([
    ['no [DONE]', [...words]],
    ['no blank line after [DONE]', [...words, 'data: [DONE]']],
    ['no blank line at the end', [...words.slice(0, -1), words.at(-1)!.trimEnd()]],
  ])('takes a stream with %s for whole', async (_, events) => {
    const chat = await startChat(streamOf(...events));
    const { sessionId } = await chat.session();
    const text = await (await chat.post({ ...hello, stream: true, session_id: sessionId })).text();
    const own = eventsOf(text).filter((event) => event !== '[DONE]');
    expect(own.at(-1)).toMatchObject({ choices: [], memory_metadata: { degraded: null } });
    expect(text.includes('[DONE]')).toBe(events.at(-1)!.includes('[DONE]'));
    expect(text.startsWith(words.join(''))).toBe(true);
  });

  it('takes an error in the stream for the end of it, [DONE] or not, and adds none of its own', async () => {
    const failure = 'data: {"error":{"message":"overloaded"}}\n\n';
    const chat = await startChat(streamOf(words[0]!, words[1]!, failure, DONE));
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, stream: true, session_id: sessionId });
    expect(await response.text()).toBe(words[0]! + words[1]! + failure);
    const turns = await chat.memory.turns(response.headers.get('x-ccc-conversation-id'));
    expect(turns.at(-1)).toMatchObject({ content: 'Hel', metadata: { incomplete: 'upstream_broke_off' } });
  });

  it('keeps a tool call that came in pieces', async () => {
    const piece = (fields: object) => chunk({ tool_calls: [{ index: 0, ...fields }] });
    const chat = await startChat(
      streamOf(
        piece({ id: 'call_9', type: 'function', function: { name: 'weather', arguments: '' } }),
        piece({ function: { arguments: '{"city":' } }),
        piece({ function: { arguments: '"Lagos"}' } }),
        chunk({}, 'tool_calls'),
        DONE,
      ),
    );
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...hello, stream: true, session_id: sessionId });
    await response.text();
    const turns = await chat.memory.turns(response.headers.get('x-ccc-conversation-id'));
    expect(turns[1]).toMatchObject({
      kind: 'tool',
      content: 'weather({"city":"Lagos"})',
      metadata: { finish_reason: 'tool_calls' },
    });
  });

  it('a client that hangs up stops the upstream within 100 ms; what it had heard is kept as incomplete', async () => {
    const chat = await startChat((res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chunk({ role: 'assistant', content: 'Once upon' }));
    });
    const { sessionId } = await chat.session();
    const abort = new AbortController();
    const response = await chat.post(
      { ...hello, stream: true, session_id: sessionId },
      { signal: abort.signal },
    );
    await response.body!.getReader().read();
    const began = performance.now();
    abort.abort();
    await chat.upstream.seen[0]!.gone;
    expect(performance.now() - began).toBeLessThan(100);
    await vi.waitFor(async () => {
      const turns = await chat.memory.turns(response.headers.get('x-ccc-conversation-id'));
      expect(turns.at(-1)).toMatchObject({
        content: 'Once upon',
        metadata: { incomplete: 'client_cancelled' },
      });
    });
  });

  it('a client that hangs up before the first byte stops the upstream too; its directive is kept', async () => {
    const chat = await startChat(() => undefined);
    const { sessionId } = await chat.session();
    const abort = new AbortController();
    const answer = chat
      .post({ ...hello, session_id: sessionId }, { signal: abort.signal })
      .catch(() => 'hung up');
    await vi.waitFor(() => expect(chat.upstream.seen).toHaveLength(1));
    abort.abort();
    expect(await answer).toBe('hung up');
    await chat.upstream.seen[0]!.gone;
    await vi.waitFor(async () => expect((await chat.memory.dal.maintenance.counts()).turns).toBe(1));
  });
});
