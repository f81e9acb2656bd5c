import type { MemoryDAL } from '../store/memory-dal.ts';

/**
 * The record with a limit on what one session holds: whatever begins to add turns names it, and the record compares in
 * the same transaction, so that several requests or servers do not pass it together. A cycle that has begun is finished,
 * and an import is taken whole.
 *
 * @param maxTurns most turns of a session; 0: no limit
 */
export function limitSessionSize(dal: MemoryDAL, maxTurns: number): MemoryDAL {
  if (maxTurns === 0) return dal;
  const { conversations, turns, cycles } = dal;
  return {
    ...dal,
    conversations: { ...conversations, create: (input) => conversations.create({ ...input, maxTurns }) },
    turns: { ...turns, append: (input) => turns.append({ ...input, maxTurns }) },
    cycles: { ...cycles, create: (input) => cycles.create({ ...input, maxTurns }) },
  };
}
