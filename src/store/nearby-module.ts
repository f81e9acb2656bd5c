import type { MemoryDAL } from './memory-dal.ts';
import type { Nearby } from './nearby.ts';

/**
 * A module that answers what is asked nearby. The record loads it into its reading thread by its URL and knows nothing else of it.
 */
export interface NearbyModule {
  /** @param dal reads only: its writing methods reject */
  nearby(dal: MemoryDAL): Nearby;
}
