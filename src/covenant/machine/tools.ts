import type { ChatMessage } from '../../models/chat-types.ts';
import { spend } from './budget.ts';
import type { MachineEvent, MachineState } from './state.ts';

/** Ids of the calls in an assistant's message. */
export function callIdsOf(message: ChatMessage): string[] {
  if (!Array.isArray(message.tool_calls)) return [];
  return (message.tool_calls as { id?: unknown }[]).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
}

/** Codey's message with the calls that wait for their results; null when none do. */
export function pendingCall(state: MachineState): ChatMessage | null {
  if (state.outcome !== 'awaiting_tools') return null;
  return state.toolMessages.at(-1)?.message ?? null;
}

export function toolsCalled(
  state: MachineState,
  event: Extract<MachineEvent, { type: 'tools_called' }>,
): MachineState {
  const round = state.drafts.length + 1;
  return {
    ...spend(state, 'draft', event),
    toolMessages: [...state.toolMessages, { round, message: event.message }],
  };
}

/**
 * Takes the results in the order of the calls, so that the prompt is the same however the client has ordered them.
 * @throws Error when one is missing: the upstream would refuse the prompt
 */
export function toolsAnswered(state: MachineState, results: ChatMessage[]): MachineState {
  const call = pendingCall(state);
  if (!call) throw new Error('No tool has been called.');
  const round = state.drafts.length + 1;
  const ordered = callIdsOf(call).map((id) => {
    const result = results.find(({ tool_call_id: of }) => of === id);
    if (!result) throw new Error(`The result of the tool call ${id} is missing.`);
    return { round, message: result };
  });
  return { ...state, toolMessages: [...state.toolMessages, ...ordered] };
}
