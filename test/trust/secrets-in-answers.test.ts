import { describe, expect, it, onTestFinished } from 'vitest';
import { verdict } from '../http/cycles/support.ts';
import { completion, role, startUpstream, streamed } from '../support/upstream.ts';
import { fakeSecret } from '../text/redaction/fake-secrets.ts';
import { startWhole, whereIn } from './whole-server.ts';

const SECRET = fakeSecret('stripe-key');
const MASK = '[masked: stripe-key]';

async function start(more: Record<string, string> = {}) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  upstream.on(role('causal'), completion({ content: '{"events": [], "judgements": []}' }));
  const server = await startWhole(upstream, { CCC_COVENANT_DEFAULT: 'direct', ...more });
  const { session_id: sessionId } = await server.call('POST', '/api/v2/sessions', {});
  return { upstream, server, sessionId: String(sessionId) };
}

const approval = verdict({});

describe('answers while a secret is masked in the record', () => {
  it('a stream brings the upstream’s own pieces, as without masking', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    // Cut in the middle of the secret: what is masked is the stored whole, not the pieces.
    const pieces = ['Here: ', SECRET.slice(0, 9), SECRET.slice(9), ' and that is it.'];
    upstream
      .on('/chat/completions', streamed(pieces))
      .on(role('causal'), completion({ content: '{"events": []}' }));
    const streams = await Promise.all(
      ['on', 'off'].map(async (redact) => {
        const server = await startWhole(upstream, { CCC_COVENANT_DEFAULT: 'direct', CCC_REDACT: redact });
        const { session_id: sessionId } = await server.call('POST', '/api/v2/sessions', {});
        const response = await server.send('POST', '/v2/chat/completions', {
          model: 'any',
          session_id: sessionId,
          stream: true,
          messages: [{ role: 'user', content: 'Give me the key.' }],
        });
        const text = await response.text();
        const events = text.split('\n\n').filter((event) => event.startsWith('data: {'));
        const metadata = JSON.parse(events.at(-1)?.slice(6) ?? '{}') as {
          memory_metadata: { masked_secrets?: number; turn_ids: string[]; conversation_id: string };
        };
        const id = metadata.memory_metadata.conversation_id;
        const { turns } = await server.call('GET', `/api/v2/conversations/${id}`);
        return {
          events: events.slice(0, -1),
          metadata: metadata.memory_metadata,
          answer: turns[1].content as string,
        };
      }),
    );
    const [on, off] = streams;
    expect(on?.events).toEqual(off?.events);
    expect(on?.metadata.masked_secrets).toBe(1);
    expect(off?.metadata).not.toHaveProperty('masked_secrets');
    expect(on?.answer).toBe(`Here: ${MASK} and that is it.`);
    expect(off?.answer).toBe(`Here: ${SECRET} and that is it.`);
  });

  it('a cycle works with the words as they came, and hands them on, while it runs', async () => {
    const { upstream, server, sessionId } = await start();
    upstream
      .on(role('guidance'), streamed([`Use ${SECRET}.`]))
      .on(role('draft'), streamed([`With ${SECRET}.`]))
      .on(role('verdict'), streamed([approval]));
    const answer = await server.call('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: sessionId,
      covenant: { mode: 'cycle' },
      messages: [{ role: 'user', content: `Call it with ${SECRET}` }],
    });
    expect(answer.choices[0].message.content).toBe(`With ${SECRET}.`);
    // Guidance, draft and answer, and the directive.
    expect(answer.memory_metadata.masked_secrets).toBe(4);
    const asked = (name: string) => upstream.calls.find(role(name))?.body ?? '';
    expect(asked('draft')).toContain(`Use ${SECRET}.`);
    expect(asked('verdict')).toContain(`With ${SECRET}.`);
    const told = await server
      .send('GET', `/api/v2/cycles/${String(answer.covenant.cycle_id)}/events`)
      .then((response) => response.text());
    expect(told).toContain(`With ${MASK}.`);
    expect(told).not.toContain(SECRET);
  });

  it('a cycle that goes on from the record goes on with the masked ones', async () => {
    const { upstream, server, sessionId } = await start();
    await server.call('PUT', `/api/v2/sessions/${sessionId}/preferences`, {
      user_preferences: { decide_before_delivery: true },
    });
    upstream
      .on(role('guidance'), streamed(['Go.']))
      .on(role('draft'), streamed([`With ${SECRET}.`]))
      .on(role('verdict'), streamed([approval]));
    const waiting = await server.call('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: sessionId,
      covenant: { mode: 'cycle' },
      messages: [{ role: 'user', content: `Call it with ${SECRET}` }],
    });
    const { cycle_id: cycleId, draft_hash: draftHash, outcome } = waiting.covenant;
    expect(outcome).toBe('awaiting_decision');
    await server.call('POST', `/api/v2/cycles/${String(cycleId)}/decision`, {
      decision: 'approve',
      draft_hash: draftHash,
    });
    const path = `/api/v2/conversations/${String(waiting.memory_metadata.conversation_id)}`;
    const answered = async () =>
      (await server.call('GET', path)).turns.find(({ kind }: { kind: string }) => kind === 'answer')?.content;
    await expect.poll(answered, { timeout: 10_000 }).toBe(`With ${MASK}.`);
    await server.stop();
    expect(whereIn(server.folder, SECRET)).toEqual([]);
  });

  it('what goes wrong is logged without it', async () => {
    const { upstream, server, sessionId } = await start();
    upstream.on('/chat/completions', (res) => {
      res.writeHead(400, { 'content-type': 'application/json' });
      res.end(
        JSON.stringify({ error: { message: `Bad key ${SECRET}`, type: 'x', code: null, param: null } }),
      );
    });
    const response = await server.send(
      'POST',
      '/v2/chat/completions',
      { model: 'any', session_id: sessionId, messages: [{ role: 'user', content: `Hello ${SECRET}` }] },
      { 'x-request-id': SECRET },
    );
    expect(response.status).toBe(400);
    const log = server.log.join('');
    expect(log).not.toContain(SECRET);
    expect(log).toContain(`"request_id":"${MASK}"`);
    for (const line of server.log) JSON.parse(line);
  });
});
