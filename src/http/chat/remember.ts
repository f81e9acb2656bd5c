import { isFault, noteFault } from './faults.ts';
import { MEMORY_LIMIT_MS, type ChatParts } from './parts.ts';
import type { ChatCall } from './chat-call.ts';
import { withinTime } from './within-time.ts';

/** Does something of memory within its time. Null when it failed: that is logged and said in the report. */
export async function remember<T>(
  parts: Pick<ChatParts, 'memoryLimitMs'>,
  call: Pick<ChatCall, 'sessionId' | 'logger' | 'report'>,
  reason: string,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await withinTime(work(), parts.memoryLimitMs ?? MEMORY_LIMIT_MS);
  } catch (error) {
    if (!isFault(error)) throw error;
    noteFault(call, error, reason);
    return null;
  }
}
