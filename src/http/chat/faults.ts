import { CccError } from '../../base/ccc-error.ts';
import type { Logger } from '../../base/logger.ts';
import type { MemoryReport } from './memory-report.ts';

/** What is there is still remembered. */
const SESSION_FULL = 'the session is full (CCC_SESSION_MAX_TURNS), and the exchange is not stored';

/** True for what memory could not do, false for what the client asked wrongly: that one it must hear. */
export function isFault(error: unknown): boolean {
  return !(error instanceof CccError) || error.status >= 500 || isFull(error);
}

/** The session takes no more turns: a chat with it goes on without being stored. */
export function isFull(error: unknown): boolean {
  return error instanceof CccError && error.code === 'session_full';
}

/** Logs what memory could not do, and says it in the report. A full session is said only: each of its chats meets it. */
export function noteFault(
  call: { sessionId: string; logger: Logger; report: MemoryReport },
  error: unknown,
  reason: string,
): void {
  if (isFull(error)) {
    call.report.degrade(SESSION_FULL);
    return;
  }
  call.logger.error({ err: error, session_id: call.sessionId }, reason);
  call.report.degrade(reason);
}
