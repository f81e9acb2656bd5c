import { describe, expect, it } from 'vitest';
import { startMemoryApi } from './support.ts';

interface Item {
  kind: string;
  source: string;
  score: number;
  score_parts: Record<string, number>;
}

/** The score that its parts give. */
function scoreOf({ source, score_parts: parts }: Item): number {
  if (source === 'neighbour') return (parts['beside'] ?? 0) / 2;
  const { best = 1, inner_work: inner = 1, superseded = 1, ...ranking } = parts;
  return (Object.values(ranking).reduce((sum, part) => sum + part, 0) / best) * inner * superseded;
}

describe('why something is in the context', () => {
  it('each turn has its score and the parts that give it, and what was left out is counted', async () => {
    const { call, newSession } = await startMemoryApi();
    const { session_id: id } = await newSession();
    const { body } = await call('POST', '/api/v2/conversations', {
      session_id: id,
      directive: 'The ferry to Skye sails at noon from Mallaig.',
    });
    const turns = Array.from({ length: 12 }, (_, i) => [
      {
        agent: 'wykeve',
        speaker: 'Ines',
        timestamp: '2023-05-08T12:00:00Z',
        content: `Ferry number ${String(i)} to Skye was late on 8 May 2023?`,
      },
      {
        agent: 'beatrice',
        kind: 'guidance',
        content: `Tell Ines how late ferry ${String(i)} was in May 2023.`,
      },
      { agent: 'codey', kind: 'answer', content: `It came in at ${String(i)} o'clock.` },
    ]).flat();
    await call('POST', `/api/v2/conversations/${String(body.conversation_id)}/turns`, { turns });
    const question = encodeURIComponent('When was the ferry of Ines late in May 2023?');
    const context = await call('GET', `/api/v2/sessions/${id}/context?directive=${question}&max_turns=9`);
    const items = context.body.relevant_turns as Item[];
    expect(items).toHaveLength(9);
    for (const item of items) expect(item.score).toBeCloseTo(scoreOf(item), 6);
    expect(Math.max(...items.map(({ score }) => score))).toBe(1);
    expect(items.some(({ score_parts: parts }) => parts['inner_work'] === 0.4)).toBe(false);
    expect(items.some(({ score_parts: parts }) => (parts['date'] ?? 0) > 0)).toBe(true);
    const all = await call(
      'GET',
      `/api/v2/sessions/${id}/context?directive=${question}&max_turns=200&max_tokens=20000`,
    );
    const shown = all.body.relevant_turns as Item[];
    for (const item of shown) expect(item.score).toBeCloseTo(scoreOf(item), 6);
    expect(shown.some(({ score_parts: parts }) => parts['inner_work'] === 0.4)).toBe(true);
    const lexical = (list: Item[]) => list.filter(({ source }) => source !== 'neighbour').length;
    // What was found behind those is not looked at: among it may be what would not be shown twice.
    expect(context.body.omitted_turns).toBeGreaterThanOrEqual(lexical(shown) - lexical(items));
    expect(context.body.omitted_turns).toBeLessThanOrEqual(40 - lexical(items));
    const search = await call('POST', `/api/v2/sessions/${id}/context/search`, { query: 'ferry to Skye' });
    const results = search.body.results as Item[];
    expect(results.length).toBeGreaterThan(5);
    for (const item of results) expect(item.score).toBeCloseTo(scoreOf(item), 6);
  });
});
