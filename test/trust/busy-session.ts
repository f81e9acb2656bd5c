import { completion, json, role, streamed, type Upstream, type UpstreamCall } from '../support/upstream.ts';
import { REVISE, verdict } from '../http/cycles/support.ts';
import type { WholeServer } from './whole-server.ts';

/** Settings under which every background work there is has something to do. */
export const EVERYTHING_ON = {
  CCC_EMBEDDINGS: 'openai',
  CCC_FACTS: 'on',
  CCC_FACTS_MAX_CALLS_PER_MINUTE: '10000',
  CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '10000',
  CCC_SUMMARY_TRIGGER_TOKENS: '200',
  CCC_COVENANT_DEFAULT: 'direct',
};

/** Text enough for a summary. */
const LONG = 'The harbour is busy in the morning and quiet at noon. '.repeat(20);

const lastText = ({ json: body }: UpstreamCall): string =>
  JSON.stringify((body as { messages?: unknown[] } | null)?.messages?.at(-1) ?? '');

const approval = (word: string) =>
  verdict({ resolved: ['short'], criteria: [{ id: 'c1', met: 'yes', evidence: `It says ${word}.` }] });

/** An upstream that has `word` in everything it says, in every role. */
export function scriptUpstream(upstream: Upstream, word: string): void {
  const events = {
    events: [
      { text: `The crane ${word} broke down.`, turn: 1, actor: 'Ana' },
      { text: `The ship ${word} was late.`, turn: 1, actor: 'Ana' },
    ],
  };
  const fact = {
    turn: 1,
    subject: 'the person',
    attribute: 'key word',
    value: word,
    text: `The person uses ${word}.`,
    only_one: true,
    holds: true,
  };
  upstream
    .on('/chat/completions', completion({ content: `Noted: ${word}` }))
    .on(
      (call) => lastText(call).includes('use a tool') && call.json?.tools !== undefined,
      completion({
        content: `I look ${word} up.`,
        toolCalls: [{ id: 'call_1', name: 'look_up', arguments: JSON.stringify({ word }) }],
      }),
    )
    .on('/embeddings', (res, call) => {
      const input = (call.json as { input: string | string[] }).input;
      const data = [input].flat().map((_, index) => ({ index, embedding: [1, 0, index + 1, 0.5] }));
      return json({ object: 'list', data, model: 'e', usage: { prompt_tokens: 1, total_tokens: 1 } })(
        res,
        call,
      );
    })
    .on(role('summary'), completion({ content: JSON.stringify({ summary: `They spoke of ${word}.` }) }))
    .on(role('facts'), completion({ content: JSON.stringify({ facts: [fact] }) }))
    .on(role('causal'), completion({ content: JSON.stringify({ ...events, judgements: [] }) }))
    .on(role('guidance'), streamed([`Mind ${word}.`]))
    .on(role('draft'), streamed([`A draft with ${word}.`]))
    .on(role('verdict'), streamed([approval(word)]));
}

/**
 * Uses every feature there is in one session, with `word` in every text that a person, a client or the upstream can
 * bring into it.
 */
export async function liveThrough(server: WholeServer, upstream: Upstream, word: string) {
  const { call } = server;
  const session = await call('POST', '/api/v2/sessions', {
    user_preferences: { name: `Harbour ${word}`, own: [{ deep: word }], covenant_mode: 'direct' },
    initial_context: { note: word },
  });
  const sessionId = String(session.session_id);
  const base = `/api/v2/sessions/${sessionId}`;
  const chat = (content: string, more: object = {}) =>
    call('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: sessionId,
      messages: [{ role: 'user', content }],
      ...more,
    });

  // Turns, by hand and by chat, with tools; a stream too.
  const { conversation_id: conversationId } = await call('POST', '/api/v2/conversations', {
    session_id: sessionId,
    directive: `Remember ${word}, please. ${LONG}`,
  });
  const turn = {
    agent: 'wykeve',
    speaker: 'Ana',
    content: `Once more ${word}. ${LONG}`,
    metadata: { note: word },
  };
  await call('POST', `/api/v2/conversations/${String(conversationId)}/turns`, turn, {
    'idempotency-key': `key ${word}`,
  });
  const direct = await chat(`What is ${word}?`, { conversation_id: conversationId });
  await server
    .send('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: sessionId,
      stream: true,
      messages: [{ role: 'user', content: `And streamed ${word}?` }],
    })
    .then((response) => response.text());
  const tools = [{ type: 'function', function: { name: 'look_up', description: word, parameters: {} } }];
  const asked = { role: 'user', content: `Please use a tool for ${word}` };
  const called = await chat('', { messages: [asked], tools });
  await chat('', {
    messages: [
      asked,
      called.choices[0].message,
      { role: 'tool', tool_call_id: 'call_1', content: `Result ${word}` },
    ],
    tools: [],
  });

  // Cycles: one approved at once, one revised, from which something is learned, one that waits for the person.
  const cycle = { covenant: { mode: 'cycle', criteria: [`mentions ${word}`], narration: 'full' } };
  const supervised = await chat(`Write about ${word}.`, cycle);
  const lesson = { decision: 'revise', lesson: `Name ${word} and a second river.` };
  upstream
    .expect(role('draft'), streamed([`One river, ${word}.`]))
    .expect(role('draft'), streamed([`Two rivers, ${word} and the Rhine.`]))
    .expect(role('verdict'), streamed([verdict({ ...JSON.parse(REVISE), ...lesson })]))
    .expect(role('verdict'), streamed([approval(word)]));
  await chat(`Write again about ${word}.`, cycle);
  await call('PUT', `${base}/preferences`, {
    user_preferences: {
      name: `Harbour ${word}`,
      decide_before_delivery: true,
      budget: { tokens: 1_000_000 },
    },
  });
  await chat(`Write and wait, about ${word}.`, cycle);

  // What a person notes themselves.
  const { events } = await call('POST', `${base}/causal/events`, {
    events: [
      { text: `The storm ${word} came.`, actor: word, happened_at: '2024-01-01T00:00:00Z' },
      { text: `The harbour ${word} closed.`, happened_at: '2024-01-02T00:00:00Z' },
    ],
  });
  await call('POST', `${base}/causal/links`, {
    cause_id: events[0].event_id,
    effect_id: events[1].event_id,
    relation: 'caused',
    explanation: `because of ${word}`,
  });
  const fact = await call('POST', `${base}/facts`, {
    subject: `Ben ${word}`,
    attribute: 'boat',
    value: word,
  });
  await call('PATCH', `${base}/facts/${String(fact.fact_id)}`, { value: `${word} again` });
  const given = await call('POST', `${base}/agents/codey/lessons`, {
    text: `Always say ${word}.`,
    trigger: word,
  });
  await call('PATCH', `${base}/agents/codey/lessons/${String(given.lesson_id)}`, {
    text: `Never say ${word}.`,
    pinned: true,
  });
  await call('PUT', `${base}/agents/beatrice/state`, { state: { mood: word } });
  await call('PUT', `${base}/context/summary`, { summary: `All about ${word}.` });
  const failed = await server.settled();
  await call('GET', `${base}/causal?query=${encodeURIComponent(`Why did the harbour ${word} close?`)}`);
  await call('GET', `${base}/context?directive=${encodeURIComponent(`What of ${word}?`)}`);
  await call('GET', `${base}/analytics`);
  return { sessionId, conversationId: String(conversationId), base, direct, supervised, failed };
}

/** Says so many words at once that each has its place in the index at once, where those of shorter turns wait. */
export async function sayManyWords(server: WholeServer, conversationId: string, word: string): Promise<void> {
  const words = Array.from({ length: 600 }, (_, at) => `entry${String(at)}`).join(' ');
  await server.call('POST', `/api/v2/conversations/${conversationId}/turns`, {
    agent: 'wykeve',
    content: `A glossary of ${word}: ${words}`,
  });
}

/** How many rows each table of the record has for the session: what was lived through must have left something. */
export const TABLES_OF_A_SESSION = [
  'conversations',
  'turns',
  'turn_terms',
  'recent_turn_terms',
  'turn_index_blocks',
  'turn_index_speakers',
  'turn_index_versions',
  'turn_vectors',
  'agent_states',
  'context_summaries',
  'idempotency_keys',
  'cycles',
  'cycle_requests',
  'cycle_steps',
  'cycle_events',
  'causal_heads',
  'causal_events',
  'causal_links',
  'causal_terms',
  'causal_vectors',
  'facts',
  'fact_versions',
  'fact_terms',
  'fact_progress',
  'activity_heads',
  'activity_changes',
  'lessons',
  'lesson_versions',
  'lesson_cycles',
  'session_spending',
];
