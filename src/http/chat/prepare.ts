import { CccError } from '../../base/ccc-error.ts';
import { beginContext, readContext } from './call-context.ts';
import type { ChatCall } from './chat-call.ts';
import { MemoryReport } from './memory-report.ts';
import { findDirective, readMessages } from './messages.ts';
import type { ChatParts } from './parts.ts';
import { remember } from './remember.ts';
import { beginThread, findThread, type Thread } from './threads.ts';

const SESSION_UNREADABLE = 'the session could not be read';

/** What memory has found for a call. */
export interface Preparation {
  /** Null when nothing is to be stored, or nothing can be. */
  thread: Thread | null;
  /** Writes what memory adds to the prompt into the report: later than it was read, and once. */
  addContext(): Promise<void>;
}

const NOTHING: Preparation = { thread: null, addContext: () => Promise.resolve() };

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
    begunContext: null,
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
  const lookedUp = remember(parts, call, SESSION_UNREADABLE, async () => {
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
  // Behind the short questions, which else would wait for it.
  call.begunContext = beginContext(parts, call);
  await lookedUp;
  return call;
}

/** Finds the conversation and reads for the context. Says in the report what it could not do. */
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
  if (!call.session || !directive || !messages) return NOTHING;
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
  const [addContext] = await Promise.all([
    readContext(parts, call),
    options.needsConversation ? beginConversation(parts, call, thread) : null,
  ]);
  return { thread, addContext };
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
