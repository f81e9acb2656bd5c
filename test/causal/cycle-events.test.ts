import { describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import { systemClock } from '../../src/base/clock.ts';
import { extractEvents } from '../../src/causal/extraction/extract-events.ts';
import { ruleExtractor } from '../../src/causal/extraction/rule-extractor.ts';
import type { JsonObject, NewTurn } from '../../src/store/records.ts';
import { analyse } from '../../src/text/analyse.ts';
import { newSession, NOON, openMemory } from './support.ts';

const turn = (
  agent: NewTurn['agent'],
  kind: NewTurn['kind'],
  content: string,
  metadata: JsonObject = {},
  cycleId: string | null = 'cyc_1',
): NewTurn => ({
  turnId: newId('turn'),
  agent,
  kind,
  content,
  speaker: null,
  timestamp: NOON,
  cycleId,
  metadata,
  terms: analyse(content),
});

const revise = (round: number, ...fixes: string[]) =>
  turn('beatrice', 'verdict', 'Revise.', {
    round,
    verdict: {
      decision: 'revise',
      issues: fixes.map((fix, at) => ({ id: `i${String(at)}`, severity: 'major', where: 'line 1', fix })),
      resolved: [],
      criteria: [{ id: 'c1', met: 'no', evidence: 'no source' }],
    },
  });
const draft = (round: number) => turn('codey', 'draft', `Draft ${String(round)}.`, { round });
const answer = (round: number, outcome: string) =>
  turn('codey', 'answer', `Draft ${String(round)}.`, { round, outcome });

/** What is noted of a conversation with these turns, read by the job as it runs in the background. */
async function noted(turns: NewTurn[], times = 1) {
  const { dal, causal } = await openMemory();
  const sessionId = await newSession(dal);
  const conversationId = newId('conv');
  await dal.conversations.create({ sessionId, conversationId, directive: 'x', turns, jobs: [], now: NOON });
  const read = extractEvents({ dal, extractor: ruleExtractor, clock: systemClock, changed: () => undefined });
  const job = { sessionId, payload: { conversation_id: conversationId } } as unknown as Parameters<
    typeof read
  >[0];
  for (let at = 0; at < times; at += 1) {
    await read(job, { signal: new AbortController().signal, attempt: 1, isLastAttempt: false });
  }
  return { sessionId, causal, ...(await causal.graph({ sessionId, aroundEventId: null, limit: 50 })) };
}

describe('a cycle contributes events of its own', () => {
  it('the draft that was sent back, with the reason, and the revision that put it right', async () => {
    const { nodes, links, causal, sessionId } = await noted(
      [
        turn('wykeve', 'directive', 'Describe the bridge'),
        draft(1),
        revise(1, 'Name the year.'),
        draft(2),
        answer(2, 'approved'),
      ],
      2,
    );
    expect(nodes.map(({ text, actor, recordedBy, judged }) => [text, actor, recordedBy, judged])).toEqual([
      [
        'Draft 1 for “Describe the bridge” was sent back: Name the year; c1 is not met (no source)',
        'beatrice',
        'rule',
        true,
      ],
      [
        'Draft 2 for “Describe the bridge” was approved after it put right: Name the year; c1 is not met (no source)',
        'codey',
        'rule',
        true,
      ],
    ]);
    expect(links).toMatchObject([{ relation: 'caused', confidence: 0.9, judgedBy: 'rule' }]);
    const why = await causal.why(sessionId, nodes[1]!.eventId);
    expect(why.chain.eventIds).toEqual(nodes.map(({ eventId }) => eventId));
    const told = await causal.narrative({
      sessionId,
      query: 'Why was the bridge sent back?',
      maxTokens: 300,
    });
    expect(told.text).toContain('Name the year');
  });

  it('every rejection leads to the revision; the reviews of another cycle do not', async () => {
    const other = revise(1, 'Be brief.');
    const { nodes, links } = await noted([
      { ...other, cycleId: 'cyc_0' },
      turn('wykeve', 'directive', 'Describe it'),
      revise(1, 'Name the year.'),
      revise(2, 'Name the place.'),
      answer(3, 'approved_with_notes'),
    ]);
    expect(nodes).toHaveLength(3);
    expect(links).toHaveLength(2);
    expect(new Set(links.map(({ effectId }) => effectId)).size).toBe(1);
  });

  it('nothing is said to have been put right where nobody approved it, and a first draft that passes is no event', async () => {
    const rejected = await noted([revise(1, 'Name the year.'), answer(1, 'max_rounds')]);
    expect([rejected.nodes.length, rejected.links.length]).toEqual([1, 0]);
    const passed = await noted([turn('wykeve', 'directive', 'Hello there'), draft(1), answer(1, 'approved')]);
    expect(passed.nodes).toEqual([]);
  });
});

describe('what a person tells', () => {
  it('becomes events, once, and a sentence that states a cause two of them with a link', async () => {
    const { nodes, links } = await noted(
      [
        turn(
          'wykeve',
          'message',
          'The pump failed because nobody cleaned the filter. How are you?',
          {},
          null,
        ),
        turn('codey', 'answer', 'The pump failed, you say.', {}, null),
      ],
      2,
    );
    expect(nodes.map(({ text, recordedBy }) => [text, recordedBy])).toEqual([
      ['nobody cleaned the filter', 'rule'],
      ['The pump failed', 'rule'],
    ]);
    expect(links).toMatchObject([{ relation: 'caused', judgedBy: 'rule', confidence: 0.6 }]);
    expect(links[0]?.causeId).toBe(nodes[0]?.eventId);
  });
});
