import { describe, expect, it } from 'vitest';
import { breathing } from '../../src/text/breathing.ts';
import {
  countTokens,
  countTokensInSteps,
  truncateToTokens,
  truncateToTokensInSteps,
} from '../../src/text/tokens.ts';
import { asking, newSession, openMemory, told } from './support.ts';

/** How many turns the event loop has while this runs. */
async function turnsOf(run: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let running = true;
  const count = () => {
    turns += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await run();
  running = false;
  return turns;
}

const busy = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};
const long = Array.from({ length: 60_000 }, (_, i) => `word${String((i * 7919) % 997)}`).join(' ');

describe('work in steps', () => {
  it('gives others a turn after some milliseconds, and costs nothing before', async () => {
    const breathe = breathing();
    expect(breathe()).toBeUndefined();
    const turns = await turnsOf(async () => {
      for (let i = 0; i < 10; i += 1) {
        busy(6);
        await breathe();
      }
    });
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('counts and cuts a long text as at once, and others have their turn meanwhile', async () => {
    let counted = 0;
    let cut = '';
    const turns = await turnsOf(async () => {
      counted = await countTokensInSteps(long);
      cut = await truncateToTokensInSteps(long, 100_000);
    });
    expect(counted).toBe(countTokens(long));
    expect(cut).toBe(truncateToTokens(long, 100_000));
    expect(countTokens(cut)).toBeLessThanOrEqual(100_000);
    expect(turns).toBeGreaterThan(3);
  });

  it('a directive that brings a document along is searched for by its question, at the end or the beginning', async () => {
    const { memory } = await openMemory();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'The heron nests by the weir.');
    for (const directive of [
      `${long}\n\nWhere does the heron nest?`,
      `Where does the heron nest?\n\n${long}`,
    ]) {
      const { relevantTurns } = await memory.buildContext(asking(sessionId, directive));
      expect(relevantTurns.map(({ turn }) => turn.content)).toContain('The heron nests by the weir.');
    }
  });
});
