import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Masker } from '../../text/redaction/masker.ts';
import { maskValue, type Found } from './mask-values.ts';

/** Stores whose methods bring no text of their own: numbers, vectors, and texts that stand in the record already. */
const WITHOUT_TEXT: ReadonlySet<string> = new Set([
  'index',
  'vectors',
  'causalVectors',
  'reindex',
  'retention',
  'budgets',
  'activity',
]);

type Methods = Record<string, (...args: unknown[]) => unknown>;

/**
 * The record behind a gate: whatever is given to any of its methods has its secrets masked first, so that none is ever
 * stored: not in turns and their index, cycles and their steps, events, facts, lessons, summaries, states, preferences,
 * jobs or what is imported. There is no list of what to mask, and none to forget a new table in.
 *
 * @param masked is told what was masked. What a cycle keeps of its own work (its state, its steps and their events)
 *   repeats its turns, and is not counted
 */
export function maskingDal(
  dal: MemoryDAL,
  masker: Masker,
  masked: (found: Found) => void = () => undefined,
): MemoryDAL {
  const { close, shared, nearby, ...stores } = dal;
  const gated = Object.entries(stores).map(([name, store]) => [
    name,
    WITHOUT_TEXT.has(name) ? (store as unknown) : gate(name, store as unknown as Methods, masker, masked),
  ]);
  // What is asked nearby reads only.
  return {
    ...(Object.fromEntries(gated) as Omit<MemoryDAL, 'close' | 'shared' | 'nearby'>),
    shared,
    nearby,
    close,
  };
}

function gate(store: string, methods: Methods, masker: Masker, masked: (found: Found) => void): Methods {
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      // Asynchronous, so that what the masker throws is a rejection too.
      async (...args: unknown[]) =>
        maskValue(masker, args, (result) => {
          if (!result) return method(...args);
          const [input] = result.value as [{ turns?: { metadata: { masked_secrets?: Found } }[] }?];
          if (store !== 'cycles') masked(result.found);
          else for (const turn of input?.turns ?? []) masked(turn.metadata.masked_secrets ?? {});
          return method(...result.value);
        }),
    ]),
  );
}
