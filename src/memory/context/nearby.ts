import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Nearby } from '../../store/nearby.ts';
import { createRetriever } from '../retrieval/retriever.ts';
import type { Gathered, GatherRequest } from './context-types.ts';
import { gather } from './gather.ts';

/** This module, for whoever opens a record that can answer beside its data. */
export const CONTEXT_NEARBY = new URL(import.meta.url);

/** What a context needs from the record, for the record's reading thread: all of it in one answer. */
export function nearby(dal: MemoryDAL): Nearby {
  const finders = { dal, retriever: createRetriever({ dal }) };
  return { [GATHER]: (request: GatherRequest) => gather(finders, request) };
}

const GATHER = 'gather';

/** Asks for it there; null where a record answers nothing beside its data. */
export function gathererNearby({
  nearby: answers,
}: Pick<MemoryDAL, 'nearby'>): ((request: GatherRequest) => Promise<Gathered>) | null {
  const ask = answers?.[GATHER] as ((request: GatherRequest) => Promise<unknown>) | undefined;
  return ask ? async (request) => (await ask(request)) as Gathered : null;
}
