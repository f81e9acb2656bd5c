/** The TypeScript API: what a program needs to use CCC's memory and cycle without its server. */
export { CccError, type ErrorBody } from './base/ccc-error.ts';
export { ERROR_CODES, type ErrorCode } from './base/error-codes.ts';
export { createLogger, silentLogger, type Logger } from './base/logger.ts';
export type { CycleResult, CycleService, RunningCycle, StartCycle } from './covenant/cycle-service.ts';
export { createCycleService } from './covenant/create-cycle-service.ts';
export { maskingDal } from './memory/redaction/masking-dal.ts';
export { createMemoryService } from './memory/create-memory-service.ts';
export type {
  BuiltContext,
  ContextMaterial,
  ContextRequest,
  ContextTurn,
  SessionMaterial,
} from './memory/context/context-types.ts';
export type { MemoryService, TurnInput } from './memory/memory-service.ts';
export { createProvider, type ProviderChoice } from './models/create-provider.ts';
export type { ChatProvider } from './models/provider.ts';
export type { MemoryDAL } from './store/memory-dal.ts';
export type * from './store/records.ts';
export { openSqliteStore } from './store/sqlite/open-sqlite-store.ts';
export { createMasker, type Masker } from './text/redaction/masker.ts';
