import { CccError } from '../../base/ccc-error.ts';
import type { Logger } from '../../base/logger.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import type { SessionRecord, TurnRecord } from '../../store/records.ts';
import { isFault, noteFault } from './faults.ts';
import type { ChatFields } from './fields.ts';
import { MemoryReport } from './memory-report.ts';
import { findDirective, messageText, readMessages, type Directive } from './messages.ts';
import { MEMORY_LIMIT_MS, type ChatParts } from './parts.ts';
import { beginThread, findThread, type Thread } from './threads.ts';
import { withinTime } from './within-time.ts';

/** A chat request with a session, as far as it has been read. */
export interface ChatCall {
  /** The body as it came. */
  json: Buffer;
  body: Record<string, unknown>;
  fields: ChatFields;
  /** Empty when the record could not say which session is meant. */
  sessionId: string;
  conversationId: string | null;
  /** Null when the record could not be read. */
  session: SessionRecord | null;
  messages: ChatMessage[] | null;
  directive: Directive | null;
  report: MemoryReport;
  logger: Logger;
  /** The search for the conversation, begun while the session is looked up; null when it may not be needed. */
  begunThread: Promise<TurnRecord[]> | null;
}

const SESSION_UNREADABLE = 'the session could not be read';

/** What memory has found for a call. */
export interface Preparation {
  /** Null when nothing is to be stored, or nothing can be. */
  thread: Thread | null;
}

/**
 * Looks up what a call names. A fault of the record is not the client's: the call then goes on without memory.
 * @throws session_not_found, session_archived, conversation_not_found
 */
export async function openCall(
  parts: ChatParts,
  input: Pick<ChatCall, 'json' | 'body' | 'fields' | 'logger'> & {
    sessionId: string | null;
    conversationId: string | null;
  },
): Promise<ChatCall> {
  const messages = readMessages(input.body);
  const call: ChatCall = {
    ...input,
    sessionId: input.sessionId ?? '',
    session: null,
    messages,
    directive: messages && findDirective(messages),
    report: new MemoryReport(input.sessionId, input.conversationId),
    begunThread: null,
  };
  const { sessionId } = input;
  if (sessionId === null) {
    call.report.degrade(SESSION_UNREADABLE);
    return call;
  }
  const { directive } = call;
  if (messages && directive && input.fields.memory_options?.auto_store_response !== false) {
    call.begunThread = beginThread(parts.store.turns, { sessionId, messages, directive });
  }
  await remember(parts, call, SESSION_UNREADABLE, async () => {
    call.session = await parts.memory.getSession(sessionId);
    if (call.session.status === 'archived')
      throw new CccError('session_archived', undefined, { param: 'session_id' });
    if (input.conversationId !== null) {
      const conversation = await parts.memory.getConversation(input.conversationId);
      if (conversation.sessionId !== sessionId) {
        throw new CccError('conversation_not_found', undefined, { param: 'conversation_id' });
      }
    }
  });
  return call;
}

/** Finds the conversation and what memory adds to the prompt. Says in the report what it could not do. */
export async function prepare(
  parts: ChatParts,
  call: ChatCall,
  options: {
    /** Whether a conversation must be there when this is done; else the exchange begins it, with its first turn. */
    needsConversation: boolean;
    beingAnswered: (threadKey: string) => boolean;
  },
): Promise<Preparation> {
  const { directive, messages, report } = call;
  if (!call.session || !directive || !messages) return { thread: null };
  const stores = call.fields.memory_options?.auto_store_response ?? true;
  let thread: Thread | null = null;
  if (stores || options.needsConversation) {
    thread = await remember(parts, call, 'the conversation could not be looked up', () =>
      findThread(parts.store.turns, {
        sessionId: call.sessionId,
        conversationId: call.conversationId,
        messages,
        directive,
        beingAnswered: options.beingAnswered,
        begun: call.begunThread,
        asStored: (text) => parts.memory.asStored(text),
      }),
    );
    if (thread && thread.conversationId !== null) report.conversationId = thread.conversationId;
  }
  await Promise.all([
    addContext(parts, call, directive, messages),
    options.needsConversation ? beginConversation(parts, call, thread) : null,
  ]);
  return { thread };
}

async function addContext(
  parts: ChatParts,
  call: ChatCall,
  directive: Directive,
  messages: ChatMessage[],
): Promise<void> {
  const options = call.fields.memory_options ?? {};
  if (options.use_context === false) return;
  const began = performance.now();
  call.report.context = await remember(parts, call, 'the context could not be built', () =>
    parts.memory.buildContext({
      sessionId: call.sessionId,
      conversationId: call.report.conversationId,
      directive: directive.text,
      maxTurns: options.max_context_turns ?? parts.settings.CCC_MAX_CONTEXT_TURNS,
      maxTokens: options.max_context_tokens ?? parts.settings.CCC_MAX_CONTEXT_TOKENS,
      includeAgentState: options.include_agent_state ?? true,
      includeCausal: options.include_causal ?? true,
      alreadySent: messages.map((message) => messageText(message).text).filter((text) => text !== ''),
    }),
  );
  call.report.contextMs = performance.now() - began;
  for (const fault of call.report.context?.faults ?? []) call.report.degrade(fault);
}

async function beginConversation(parts: ChatParts, call: ChatCall, thread: Thread | null): Promise<void> {
  const directive = call.directive;
  if (!thread || !directive || call.report.conversationId !== null) return;
  const begun = await remember(parts, call, 'the conversation could not be begun', () =>
    parts.memory.createConversation({
      sessionId: call.sessionId,
      directive: directive.text,
      turns: [],
    }),
  );
  if (begun) call.report.conversationId = begun.conversation.conversationId;
}

/** Does something of memory within its time. Null when it failed: that is logged and said in the report. */
async function remember<T>(
  parts: ChatParts,
  call: ChatCall,
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
