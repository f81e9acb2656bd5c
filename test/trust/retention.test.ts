import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { completion, json, role, startUpstream } from '../support/upstream.ts';
import { filesOf, startWhole, whereIn } from './whole-server.ts';

const DAY = 86_400_000;
const OLD = 'Quuxolapis';
const YOUNG = 'Vexillarion';

/** The vector of an event, as the files have its bytes. */
function vectorOf(folder: string, eventId: string): string {
  const record = new Database(join(folder, 'ccc.db'), { readonly: true });
  const vector = record
    .prepare(
      'SELECT vector FROM causal_vectors JOIN causal_events USING (session_id, event_no) WHERE event_id = ?',
    )
    .pluck()
    .get(eventId) as Buffer;
  record.close();
  return vector.toString('latin1');
}

const holding = (folder: string, bytes: string): string[] =>
  filesOf(folder)
    .filter((file) => file.bytes.includes(bytes))
    .map(({ path }) => path.slice(folder.length + 1));

const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString();

describe('a running server', () => {
  it('removes what a session does not keep soon after it was told so, from every file', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    upstream
      .on('/chat/completions', completion({ content: 'Yes.' }))
      .on(role('causal'), completion({ content: '{"events": [], "judgements": []}' }))
      .on('/embeddings', (res, call) => {
        const { input } = call.json as { input: string[] };
        const data = input.map((text, index) => ({ index, embedding: [text.length, 1, 0.25] }));
        return json({ object: 'list', data, model: 'e', usage: { prompt_tokens: 1, total_tokens: 1 } })(
          res,
          call,
        );
      });
    const server = await startWhole(upstream, { CCC_EMBEDDINGS: 'openai', CCC_COVENANT_DEFAULT: 'direct' });
    const { call } = server;
    const { session_id: id } = await call('POST', '/api/v2/sessions', {});
    const base = `/api/v2/sessions/${String(id)}`;
    const { conversation_id: conversationId } = await call('POST', '/api/v2/conversations', {
      session_id: id,
      directive: `The ${YOUNG} hangs in the hall.`,
    });
    await call('POST', `/api/v2/conversations/${String(conversationId)}/turns`, {
      turns: [
        {
          agent: 'wykeve',
          speaker: 'Marmaduke',
          content: `The ${OLD} hung there before.`,
          timestamp: daysAgo(40),
        },
        { agent: 'wykeve', content: 'It is a good place for flags.', timestamp: daysAgo(3) },
      ],
    });
    const { events } = await call('POST', `${base}/causal/events`, {
      events: [
        { text: `The ${OLD} fell down.`, happened_at: daysAgo(41) },
        { text: 'The nail was rusty.', happened_at: daysAgo(42) },
        { text: `The ${YOUNG} was bought.`, happened_at: daysAgo(2) },
      ],
    });
    await call('POST', `${base}/causal/links`, {
      cause_id: events[1].event_id,
      effect_id: events[0].event_id,
      relation: 'caused',
    });
    await server.settled();
    await expect.poll(async () => (await server.parts.causal.status()).lag, { timeout: 10_000 }).toBe(0);
    expect(whereIn(server.folder, OLD).length).toBeGreaterThan(0);
    const vector = vectorOf(server.folder, String(events[0].event_id));
    // The projection has it in its file by now, or this shows nothing of it.
    await call('GET', `${base}/causal?query=${encodeURIComponent('Why did it fall?')}`);
    await expect
      .poll(() => holding(server.folder, vector).join(), { timeout: 10_000 })
      .toMatch(/causal\.duckdb.*ccc\.db/);

    await call('PUT', `${base}/preferences`, { user_preferences: { memory_retention_days: 30 } });
    await expect.poll(async () => (await call('GET', base)).total_turns, { timeout: 10_000 }).toBe(2);
    await expect
      .poll(async () => (await call('GET', `${base}/causal/graph`)).nodes, { timeout: 10_000 })
      .toHaveLength(1);
    await server.settled();
    const { prompt } = await call(
      'GET',
      `${base}/context?directive=${encodeURIComponent('What hung in the hall?')}`,
    );
    expect(prompt).toContain(YOUNG);
    expect(prompt).not.toContain(OLD);
    const page = await call('GET', `/api/v2/conversations/${String(conversationId)}`);
    expect(page).toMatchObject({ turn_count: 3, removed_turns: 1 });
    expect(page.turns.map(({ turn_number: number }: { turn_number: number }) => number)).toEqual([1, 3]);
    for (const word of [OLD, 'Marmaduke', 'rusty']) {
      await expect.poll(() => whereIn(server.folder, word), { message: word }).toEqual([]);
    }
    expect(whereIn(server.folder, YOUNG)).toContain('ccc.db');
    await expect.poll(() => holding(server.folder, vector), { timeout: 10_000 }).toEqual([]);
    expect(server.log.join('')).not.toMatch(new RegExp(`${OLD}|Marmaduke`));
    await server.stop();
    expect(whereIn(server.folder, OLD)).toEqual([]);
  });
});
