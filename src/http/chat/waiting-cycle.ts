import type { ChatMessage } from '../../models/chat-types.ts';
import type { ChatParts } from './parts.ts';
import { isFault } from './faults.ts';
import type { ChatCall } from './chat-call.ts';

/** A cycle that waits for the client's tools, and the results that this request brings. */
export interface WaitingCycle {
  cycleId: string;
  conversationId: string;
  results: ChatMessage[];
}

/**
 * The cycle that a request goes on with: one of its session that waits for the tools whose results stand at the end of
 * its messages. Null when there is none, or when the request says that it wants no cycle.
 */
export async function findWaitingCycle(parts: ChatParts, call: ChatCall): Promise<WaitingCycle | null> {
  const results = resultsOf(call.messages ?? []);
  if (results.length === 0 || !call.session || call.fields.covenant?.mode === 'direct') return null;
  const ids = results.map(({ tool_call_id: id }) => String(id));
  try {
    const cycleId = await parts.cycles.findWaiting(call.sessionId, ids);
    if (cycleId === null) return null;
    const { conversationId } = (await parts.cycles.get(cycleId)).cycle;
    const another = call.conversationId !== null && call.conversationId !== conversationId;
    return another ? null : { cycleId, conversationId, results };
  } catch (error) {
    if (!isFault(error)) throw error;
    call.logger.error({ err: error }, 'the waiting cycle could not be looked up');
    call.report.degrade('the waiting cycle could not be looked up');
    return null;
  }
}

/** The tool results at the end of the messages. */
function resultsOf(messages: ChatMessage[]): ChatMessage[] {
  const before = messages.findLastIndex(({ role }) => role !== 'tool');
  return messages.slice(before + 1);
}
