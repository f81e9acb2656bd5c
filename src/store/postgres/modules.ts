import type { MemoryDAL } from '../memory-dal.ts';
import type { PostgresModule } from './postgres-module.ts';

/** What stands behind each store of `MemoryDAL` on PostgreSQL. A new store is a line here. */
export const POSTGRES_MODULES = {} satisfies {
  [K in keyof Omit<MemoryDAL, 'close' | 'shared'>]?: PostgresModule<MemoryDAL[K]>;
};
