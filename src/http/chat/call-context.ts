import { messageText } from './messages.ts';
import type { ChatParts } from './parts.ts';
import type { ChatCall } from './chat-call.ts';
import { remember } from './remember.ts';
import type { ContextMaterial, ContextRequest, SessionMaterial } from '../../memory/context/context-types.ts';

const NO_CONTEXT = 'the context could not be built';

type Asked = Pick<ChatCall, 'sessionId' | 'fields' | 'directive' | 'messages'>;

/** Begins to read what memory adds to the prompt; null where it adds nothing. */
export function beginContext(parts: ChatParts, call: Asked): Promise<SessionMaterial> | null {
  const { directive, fields } = call;
  if (!directive || fields.memory_options?.use_context === false) return null;
  const begin = async () => parts.memory.beginContext(sessionRequest(parts, call, directive.text));
  const begun = begin();
  // Whoever waits for it hears of a failure; a request that is refused meanwhile does not wait.
  begun.catch(() => undefined);
  return begun;
}

/**
 * Reads it to the end. What is stored from then on has no part in it.
 * @returns chooses from what was read and puts it into the call's report, once; until then the report has no context
 */
export async function readContext(parts: ChatParts, call: ChatCall): Promise<() => Promise<void>> {
  const { directive, begunContext, report } = call;
  if (!directive || !begunContext) return () => Promise.resolve();
  const began = performance.now();
  const request: ContextRequest = {
    ...sessionRequest(parts, call, directive.text),
    conversationId: report.conversationId,
  };
  const material = await remember(parts, call, NO_CONTEXT, () =>
    parts.memory.readContext(request, begunContext),
  );
  const readMs = performance.now() - began;
  let composing: Promise<void> | null = null;
  return () => (composing ??= material ? compose(parts, call, material, readMs) : Promise.resolve());
}

async function compose(
  parts: ChatParts,
  call: ChatCall,
  material: ContextMaterial,
  readMs: number,
): Promise<void> {
  const { report } = call;
  const began = performance.now();
  report.context = await remember(parts, call, NO_CONTEXT, () => parts.memory.composeContext(material));
  report.contextMs = readMs + performance.now() - began;
  for (const fault of report.context?.faults ?? []) report.degrade(fault);
}

function sessionRequest(parts: ChatParts, { sessionId, fields, messages }: Asked, directive: string) {
  const options = fields.memory_options ?? {};
  return {
    sessionId,
    directive,
    maxTurns: options.max_context_turns ?? parts.settings.CCC_MAX_CONTEXT_TURNS,
    maxTokens: options.max_context_tokens ?? parts.settings.CCC_MAX_CONTEXT_TOKENS,
    includeAgentState: options.include_agent_state ?? true,
    includeCausal: options.include_causal ?? true,
    alreadySent: (messages ?? []).map((message) => messageText(message).text).filter((text) => text !== ''),
  };
}
