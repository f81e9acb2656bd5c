import { describe, expect, it, onTestFinished } from 'vitest';
import { completion, startUpstream, streamed } from '../support/upstream.ts';
import { startWhole } from '../trust/whole-server.ts';

const DEGRADED = 'the session is full (CCC_SESSION_MAX_TURNS), and the exchange is not stored';

async function start(maxTurns: number) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  upstream.on('/chat/completions', completion({ content: 'The Rhine.' }));
  const server = await startWhole(upstream, {
    CCC_SESSION_MAX_TURNS: String(maxTurns),
    CCC_COVENANT_DEFAULT: 'direct',
  });
  const { session_id: sessionId } = await server.call('POST', '/api/v2/sessions', {});
  const begun = await server.call('POST', '/api/v2/conversations', {
    session_id: sessionId,
    directive: 'My boat lies in Basel.',
  });
  const turnsOf = async () => (await server.call('GET', `/api/v2/sessions/${String(sessionId)}`)).total_turns;
  const chat = (more: object = {}) =>
    server.send('POST', '/v2/chat/completions', {
      model: 'm',
      session_id: sessionId,
      messages: [{ role: 'user', content: 'Where does my boat lie?' }],
      ...more,
    });
  return { ...server, upstream, sessionId: String(sessionId), begun, turnsOf, chat };
}

describe('a session that is full', () => {
  it('takes no turns, conversations or cycles: 413, and nothing is written or asked', async () => {
    const { send, sessionId, begun, turnsOf, upstream } = await start(1);
    const path = `/api/v2/conversations/${String(begun.conversation_id)}/turns`;
    for (const [where, body] of [
      [path, { agent: 'wykeve', content: 'More.' }],
      ['/api/v2/conversations', { session_id: sessionId, directive: 'Again.' }],
      [`/api/v2/sessions/${sessionId}/cycles`, { directive: 'Again.' }],
    ] as const) {
      const answer = await send('POST', where, body);
      expect(answer.status, where).toBe(413);
      expect(await answer.json()).toEqual({
        error: {
          message: 'The session holds 1 turns and may hold 1 (CCC_SESSION_MAX_TURNS).',
          type: 'invalid_request_error',
          code: 'session_full',
          param: 'session_id',
        },
      });
    }
    expect(await turnsOf()).toBe(1);
    expect(upstream.calls).toHaveLength(0);
  });

  it('is chatted with all the same, remembered, not stored, and told so', async () => {
    const { chat, upstream, turnsOf, log } = await start(1);
    for (const mode of ['direct', 'cycle']) {
      const response = await chat({ covenant: { mode } });
      expect(response.status).toBe(200);
      const answer = (await response.json()) as Record<string, unknown>;
      expect(answer['choices']).toMatchObject([{ message: { content: 'The Rhine.' } }]);
      expect(answer['memory_metadata']).toMatchObject({
        context_used: true,
        turn_ids: [],
        degraded: DEGRADED,
      });
    }
    expect(upstream.calls).toHaveLength(2);
    expect(upstream.calls[0]?.body).toContain('lies in Basel');
    upstream.on('/chat/completions', streamed(['The ', 'Rhine.']));
    expect(await (await chat({ stream: true })).text()).toContain(DEGRADED);
    expect(await turnsOf()).toBe(1);
    expect(log.join('')).not.toContain('"level":50');
  });

  it('is not full before: an exchange that fits is stored', async () => {
    const { chat, turnsOf } = await start(3);
    const first = (await (await chat()).json()) as {
      memory_metadata: { turn_ids: string[]; degraded: null };
    };
    expect(first.memory_metadata.degraded).toBeNull();
    expect(first.memory_metadata.turn_ids).toHaveLength(2);
    expect(await turnsOf()).toBe(3);
    expect(await (await chat()).json()).toMatchObject({ memory_metadata: { degraded: DEGRADED } });
  });
});
