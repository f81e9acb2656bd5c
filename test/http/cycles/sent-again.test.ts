import { describe, expect, it } from 'vitest';
import { failure, hang, role, streamed } from '../../support/upstream.ts';
import { APPROVE, startServer } from './support.ts';

const body = { model: 'm', messages: [{ role: 'user', content: 'Name two rivers.' }] };

describe('a request that is sent again because its cycle came to nothing', () => {
  it('goes on in its conversation, where its directive stands once', async () => {
    const server = await startServer();
    const { upstream, api, sessionId } = server;
    const ask = () => api.post('/v2/chat/completions', { ...body, session_id: sessionId });

    upstream.expect(role('guidance'), failure(503, { message: 'busy' }));
    expect((await ask()).status).toBe(503);

    upstream.expect(role('guidance'), streamed(['Go.'])).expect(role('draft'), hang());
    const hangUp = new AbortController();
    const gone = fetch(`${server.url}/v2/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, session_id: sessionId, stream: true }),
      signal: hangUp.signal,
    });
    const call = await upstream.call(3);
    hangUp.abort();
    await gone.catch(() => undefined);
    await call.aborted;

    upstream
      .expect(role('guidance'), streamed(['Go.']))
      .expect(role('draft'), streamed(['Rhine, Rhône.']))
      .expect(role('verdict'), streamed([APPROVE]));
    const answer = await ask();
    expect(answer.body.choices[0].message.content).toBe('Rhine, Rhône.');
    upstream.assertComplete();

    const conversations = await server.memory.listConversations({ sessionId, limit: 9, cursor: null });
    expect(conversations.items).toHaveLength(1);
    const { conversation_id: conversationId, turn_ids: turnIds } = answer.body.memory_metadata;
    const turns = await server.memory.listTurns({ conversationId, fromNumber: 1, limit: 50 });
    expect(turns.map(({ kind }) => kind)).toEqual([
      'directive',
      'guidance',
      'guidance',
      'draft',
      'verdict',
      'answer',
    ]);
    expect(turnIds).toEqual([turns[0]?.turnId, ...turns.slice(2).map(({ turnId }) => turnId)]);
    const { data } = (await api.get(`/api/v2/sessions/${sessionId}/cycles`)).body;
    expect(data.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'approved',
      'client_cancelled',
      'upstream_error',
    ]);
  });
});
