import type { Logger } from '../../base/logger.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import type { SessionRecord, TurnRecord } from '../../store/records.ts';
import type { ChatFields } from './fields.ts';
import type { MemoryReport } from './memory-report.ts';
import type { Directive } from './messages.ts';
import type { SessionMaterial } from '../../memory/context/context-types.ts';

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
  /** So is what memory adds to the prompt; null when nothing is to be added. */
  begunContext: Promise<SessionMaterial> | null;
}
