import { describe, expect, it } from 'vitest';
import OpenAI from 'openai';
import { role, streamed } from '../../support/upstream.ts';
import { APPROVE, startOn, startServer } from './support.ts';

const messages = [{ role: 'user' as const, content: 'Name two rivers.' }];
const ANSWER = 'The Rhine and the Rhône.';

async function sessionThatDecides() {
  const server = await startServer();
  const { api, sessionId, upstream, url } = server;
  upstream
    .on(role('guidance'), streamed(['Two.']))
    .on(role('draft'), streamed([ANSWER]))
    .on(role('verdict'), streamed([APPROVE]));
  await api.put(`/api/v2/sessions/${sessionId}/preferences`, {
    user_preferences: { decide_before_delivery: true },
  });
  const client = new OpenAI({ baseURL: `${url}/v2/sessions/${sessionId}`, apiKey: 'none', maxRetries: 0 });
  return { ...server, client };
}
const covenantOf = (of: unknown) => (of as { covenant: Record<string, string> }).covenant;

describe('a chat of a session that decides before delivery', () => {
  it('gets no content before that: a whole answer says what waits, and where', async () => {
    const { client, api } = await sessionThatDecides();
    const reply = await client.chat.completions.create({ model: 'm', messages });
    expect(reply.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '' } });
    const { outcome, cycle_id: id = '', draft_hash: hash } = covenantOf(reply);
    expect(outcome).toBe('awaiting_decision');
    const { reasoning } = reply.choices[0]?.message as unknown as { reasoning: string };
    expect(reasoning.split('\n\n').at(-1)).toBe(
      '[Beatrice · round 1 · decision]\nApproved. It waits for the person to decide. ' +
        `What waits is the draft of round 1. Decide at POST /api/v2/cycles/${id}/decision.`,
    );
    const waiting = (await api.get(`/api/v2/cycles/${id}`)).body;
    expect(waiting).toMatchObject({ status: 'awaiting_decision', answer: ANSWER, draft_hash: hash });
  });

  it('gets a stream that ends like any other, and the answer once it is approved, also after a restart', async () => {
    const { client, file, upstream } = await sessionThatDecides();
    const chunks = [];
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('');
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['stop']);
    const { outcome, cycle_id: id = '', draft_hash: hash } = covenantOf(chunks.at(-1));
    expect(outcome).toBe('awaiting_decision');

    const next = await startOn(file, upstream.baseUrl);
    const wrong = await next.api.post(`/api/v2/cycles/${id}/decision`, {
      decision: 'approve',
      draft_hash: 'x',
    });
    expect(wrong.status).toBe(409);
    await next.api.post(`/api/v2/cycles/${id}/decision`, { decision: 'approve', draft_hash: hash });
    const approved = await next.api.rested(id);
    expect(approved).toMatchObject({ outcome: 'approved', answer: ANSWER });
    const { conversation_id: conversationId } = approved as { conversation_id: string };
    const turns = await next.memory.listTurns({ conversationId, fromNumber: 1, limit: 50 });
    expect(turns.at(-1)).toMatchObject({ agent: 'codey', kind: 'answer', content: ANSWER });
  });

  it('is told so by a request too, for one cycle and in both directions', async () => {
    const { client, api, sessionId } = await sessionThatDecides();
    const body = { model: 'm', messages, covenant: { decide_before_delivery: false } };
    const reply = await client.chat.completions.create(body);
    expect(reply.choices[0]?.message.content).toBe(ANSWER);
    await api.put(`/api/v2/sessions/${sessionId}/preferences`, { user_preferences: {} });
    const started = await api.post(`/api/v2/sessions/${sessionId}/cycles`, {
      directive: 'Name two rivers.',
      decide_before_delivery: true,
    });
    expect((await api.rested(started.body.cycle_id as string)).outcome).toBe('awaiting_decision');
  });
});
