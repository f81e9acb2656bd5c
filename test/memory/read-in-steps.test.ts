import { describe, expect, it } from 'vitest';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { asking, newSession, openMemory, told } from './support.ts';

/** The same record, and how many turns each look at it asked for by their places. */
function counted(dal: MemoryDAL): { dal: MemoryDAL; asked: number[] } {
  const asked: number[] = [];
  const turns: MemoryDAL['turns'] = {
    ...dal.turns,
    byPosition: (sessionId, positions) => {
      asked.push(positions.length);
      return dal.turns.byPosition(sessionId, positions);
    },
  };
  return { dal: { ...dal, turns }, asked };
}

const ALL = 45;
const content = (at: number) => `The ferry to Skye was late on trip ${String(at)}${' again'.repeat(at % 5)}.`;

/** A session in which all that was said bears on the ferry, each in a conversation of its own. */
async function ferries() {
  const { dal, memory } = await openMemory();
  const sessionId = await newSession(memory);
  for (let at = 0; at < ALL; at += 1) await told(memory, sessionId, content(at));
  const record = counted(dal);
  return { sessionId, memory: createMemoryService({ dal: record.dal }), asked: record.asked };
}

describe('turns for a context', () => {
  it('are read from the best one on, and no more of them than may be needed', async () => {
    const { sessionId, memory, asked } = await ferries();
    const few = await memory.buildContext(asking(sessionId, 'Was the ferry to Skye late?', { maxTurns: 5 }));
    expect(few.relevantTurns).toHaveLength(5);
    // Ten of forty, and one on each side of the best three.
    expect(asked.toSorted((a, b) => a - b)).toEqual([6, 10]);
    expect(few.omittedTurns).toBe(35);
    const many = await memory.buildContext(
      asking(sessionId, 'Was the ferry to Skye late?', { maxTurns: 20 }),
    );
    const ids = many.relevantTurns.map(({ turn }) => turn.turnId);
    // The same five are the best of the twenty.
    const best = many.relevantTurns.toSorted((a, b) => b.score - a.score).slice(0, 5);
    expect(ids).toHaveLength(20);
    expect(new Set(best.map(({ turn }) => turn.turnId))).toEqual(
      new Set(few.relevantTurns.map(({ turn }) => turn.turnId)),
    );
  });

  it('are read further where the client has sent the best of them itself', async () => {
    const { sessionId, memory, asked } = await ferries();
    const all = await memory.buildContext(asking(sessionId, 'Was the ferry to Skye late?', { maxTurns: 30 }));
    const ranked = all.relevantTurns.toSorted((a, b) => b.score - a.score).map(({ turn }) => turn.content);
    asked.length = 0;
    const alreadySent = ranked.slice(0, 9);
    const few = await memory.buildContext(
      asking(sessionId, 'Was the ferry to Skye late?', { maxTurns: 5, alreadySent }),
    );
    const shown = few.relevantTurns.toSorted((a, b) => b.score - a.score).map(({ turn }) => turn.content);
    expect(shown).toEqual(ranked.slice(9, 14));
    expect(asked.toSorted((a, b) => a - b)).toEqual([6, 10, 30]);
  });

  it('are read further where steps of the work stand before what was said', async () => {
    const { dal, memory } = await openMemory();
    const sessionId = await newSession(memory);
    for (let at = 0; at < 10; at += 1) {
      await told(memory, sessionId, `Go on ${String(at)}.`, [
        { agent: 'codey', kind: 'draft', content: `The ferry to Skye, draft ${String(at)}.` },
        { agent: 'beatrice', kind: 'guidance', content: `Mind the ferry to Skye ${String(at)}.` },
      ]);
    }
    await told(memory, sessionId, 'Something else, and then a ferry to some isle or other, perhaps to Skye.');
    const context = await createMemoryService({ dal }).buildContext(
      asking(sessionId, 'The ferry to Skye?', { maxTurns: 6 }),
    );
    expect(context.relevantTurns.map(({ turn }) => turn.content)).toContain(
      'Something else, and then a ferry to some isle or other, perhaps to Skye.',
    );
  });
});
