import { describe, expect, it } from 'vitest';
import { tellsSomething } from '../../src/memory/context/candidates.ts';
import { asking, newSession, openMemory, told } from './support.ts';

describe('verdicts and guidance in the context', () => {
  it.each([
    ['verdict', 'Approved.', false],
    ['verdict', 'To be revised.', false],
    ['verdict', 'The person has to decide.', false],
    ['verdict', 'To be revised.\n- criterion c1: not met\n- criterion c2: unknown', false],
    ['verdict', 'OK, looks good to me! 👍', false],
    ['verdict', 'To be revised.\n- blocker: line 3 → name the river', true],
    ['verdict', 'Approved: the bridge carries twelve tonnes.', true],
    ['verdict', 'Genehmigt.', true],
    ['guidance', 'Please go ahead.', false],
    ['guidance', 'Name the river and its length.', true],
    ['message', 'Approved.', true],
    ['answer', 'Yes.', true],
  ] as const)('a %s that says %j tells something: %s', (kind, content, expected) => {
    expect(tellsSomething({ kind, content })).toBe(expected);
  });

  it('a bare verdict takes no place in a prompt, though it is found', async () => {
    const { memory } = await openMemory();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'Was the bridge approved?', [
      { agent: 'beatrice', kind: 'verdict', content: 'Approved.' },
      { agent: 'beatrice', kind: 'verdict', content: 'Approved: it carries twelve tonnes.' },
      { agent: 'codey', kind: 'answer', content: 'The bridge is approved for twelve tonnes.' },
    ]);
    const { relevantTurns, prompt } = await memory.buildContext(asking(sessionId, 'bridge approved'));
    const shown = relevantTurns.map(({ turn }) => turn.content);
    expect(shown).not.toContain('Approved.');
    expect(shown).toContain('Approved: it carries twelve tonnes.');
    expect(prompt).toContain('The bridge is approved for twelve tonnes.');
    const query = { sessionId, query: 'approved', maxResults: 10, relevanceThreshold: 0, timeRange: null };
    const found = await memory.searchTurns(query);
    expect(found.map(({ turn }) => turn.content)).toContain('Approved.');
  });
});
