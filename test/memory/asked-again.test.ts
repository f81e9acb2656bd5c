import { describe, expect, it } from 'vitest';
import type { MemoryService } from '../../src/memory/memory-service.ts';
import { asking, newSession, openMemory, told } from './support.ts';

const QUESTION = 'What should I not cook for Ana?';
const FACT = 'My sister Ana is allergic to peanuts.';

/** A fact, and after it the same question so many times, each time with these turns. */
async function askedAgain(
  times: number,
  answered: (memory: MemoryService, sessionId: string, at: number) => Promise<unknown>,
) {
  const { memory } = await openMemory();
  const sessionId = await newSession(memory);
  await told(memory, sessionId, 'Mind this.', [{ agent: 'wykeve', content: FACT }]);
  for (let at = 0; at < times; at += 1) await answered(memory, sessionId, at);
  return memory.buildContext(asking(sessionId, QUESTION, { alreadySent: [QUESTION] }));
}

const contents = ({ relevantTurns }: { relevantTurns: { turn: { content: string } }[] }) =>
  relevantTurns.map(({ turn }) => turn.content);

describe('a question that was asked many times before', () => {
  it('does not hide what answers it', async () => {
    const context = await askedAgain(100, (memory, sessionId) =>
      told(memory, sessionId, QUESTION, [{ agent: 'codey', kind: 'answer', content: 'I am not sure.' }]),
    );
    expect(contents(context)).toContain(FACT);
    expect(contents(context).filter((each) => each === 'I am not sure.')).toHaveLength(1);
  });

  it('nor with another date before it each time, as some programs put it', async () => {
    const context = await askedAgain(120, (memory, sessionId, at) =>
      told(memory, sessionId, `Today is 2026-01-${String(at).padStart(2, '0')}. ${QUESTION}`),
    );
    expect(contents(context)).toContain(FACT);
    expect(contents(context).filter((each) => each.endsWith(QUESTION))).toHaveLength(1);
  });

  it('still shows its different answers, however short', async () => {
    const dishes = 'rice soup pasta fish beans bread eggs stew curry pie salad dal'.split(' ');
    const { memory } = await openMemory();
    const sessionId = await newSession(memory);
    for (let at = 0; at < 60; at += 1) {
      const answer = {
        agent: 'codey' as const,
        kind: 'answer' as const,
        content: `${dishes[at % 12] ?? ''}.`,
      };
      await told(memory, sessionId, 'What did we have for dinner?', [answer]);
    }
    const question = 'What did we have for dinner?';
    const context = await memory.buildContext(asking(sessionId, question, { alreadySent: [question] }));
    expect(contents(context).length).toBeGreaterThanOrEqual(10);
  });

  it('does not hide it behind the work that each answer took', async () => {
    const context = await askedAgain(30, (memory, sessionId, at) =>
      told(memory, sessionId, QUESTION, [
        { agent: 'beatrice', kind: 'guidance', content: 'Say what not to cook for Ana, and why.' },
        { agent: 'codey', kind: 'draft', content: `Do not cook for Ana, draft ${String(at % 3)}.` },
        { agent: 'beatrice', kind: 'verdict', content: 'Approved.' },
        { agent: 'codey', kind: 'answer', content: 'Do not cook what Ana does not like.' },
      ]),
    );
    expect(contents(context)).toContain(FACT);
  });
});

describe('steps of the work', () => {
  it('that hardly bear on a directive are not shown beside what does', async () => {
    const { memory } = await openMemory();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'My brother Tom hates cilantro in his dinner.');
    const guidance = (content: string) => ({
      agent: 'beatrice' as const,
      kind: 'guidance' as const,
      content,
    });
    await told(memory, sessionId, 'A haiku.', [guidance('Write three lines on a lighthouse, for Tom.')]);
    await told(memory, sessionId, 'A plan.', [guidance('Mind that his brother hates cilantro.')]);
    const context = await memory.buildContext(
      asking(sessionId, 'What does my brother Tom hate, cilantro in his dinner?'),
    );
    expect(contents(context)).toContain('My brother Tom hates cilantro in his dinner.');
    expect(contents(context)).toContain('Mind that his brother hates cilantro.');
    expect(contents(context)).not.toContain('Write three lines on a lighthouse, for Tom.');
  });
});
