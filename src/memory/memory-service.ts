import type { LessonService } from './lessons/lesson-service.ts';
import type {
  Agent,
  AgentStateRecord,
  ConversationRecord,
  JsonObject,
  NewJob,
  NewTurn,
  Page,
  SessionRecord,
  SummaryRecord,
  TurnKind,
  TurnRecord,
} from '../store/records.ts';
import type { Idempotency } from '../store/memory-dal.ts';
import type { SessionStatistics } from '../store/statistics.ts';
import type { FactService } from './facts/fact-service.ts';
import type {
  BuiltContext,
  ContextMaterial,
  ContextRequest,
  ContextTurn,
  SessionMaterial,
} from './context/context-types.ts';

/** A turn as a caller of the service gives it. */
export interface TurnInput {
  agent: Agent;
  content: string;
  kind?: TurnKind;
  speaker?: string | null;
  /** When it was said, milliseconds since the epoch; now when absent. */
  timestamp?: number;
  cycleId?: string | null;
  metadata?: JsonObject;
}

/** Sessions, conversations, turns, context, summaries and facts. Unknown ids throw the `*_not_found` errors. */
export interface MemoryService extends FactService, LessonService {
  /** @throws invalid_request when a preference that has a meaning here is wrong; so does `setPreferences` */
  createSession(input: {
    userPreferences?: JsonObject;
    initialContext?: JsonObject | null;
  }): Promise<{ session: SessionRecord; token: string }>;
  /** What the session holds, counted. */
  statistics(sessionId: string): Promise<SessionStatistics>;
  /** The session a token opens, or null. */
  openByToken(token: string): Promise<SessionRecord | null>;
  getSession(sessionId: string): Promise<SessionRecord>;
  /** With a `name`, those whose name or id contains it. */
  listSessions(input: { limit: number; cursor: string | null; name?: string }): Promise<Page<SessionRecord>>;
  setPreferences(sessionId: string, preferences: JsonObject): Promise<SessionRecord>;
  archiveSession(sessionId: string): Promise<SessionRecord>;
  eraseSession(sessionId: string): Promise<void>;

  /** Begins a conversation; its first turns are `turns`, or the directive as Wykeve's. */
  createConversation(input: {
    sessionId: string;
    directive: string;
    turns?: TurnInput[];
  }): Promise<{ conversation: ConversationRecord; turns: TurnRecord[] }>;
  getConversation(conversationId: string): Promise<ConversationRecord>;
  listConversations(input: {
    sessionId: string;
    limit: number;
    cursor: string | null;
  }): Promise<Page<ConversationRecord>>;
  listTurns(input: { conversationId: string; fromNumber: number; limit: number }): Promise<TurnRecord[]>;
  appendTurns(input: {
    conversationId: string;
    /** Where it is known: one look at the record less. */
    sessionId?: string;
    turns: TurnInput[];
    idempotency?: Idempotency;
  }): Promise<{ turns: TurnRecord[]; replayed: boolean }>;

  /** A turn with its id, time and index terms, for those who store turns in a transaction of their own. */
  prepareTurn(turn: TurnInput): Promise<NewTurn>;
  /** Background work that new turns of a conversation give rise to; stored in the turns' transaction. */
  jobsForTurns(conversationId: string): NewJob[];

  /** Reads what a context needs of the session, while it is not yet known which conversation is open. */
  beginContext(request: Omit<ContextRequest, 'conversationId'>): Promise<SessionMaterial>;
  /** Reads all that a context needs: what is stored from then on has no part in it. */
  readContext(request: ContextRequest, begun?: Promise<SessionMaterial>): Promise<ContextMaterial>;
  /** Chooses from what was read, and writes the text. */
  composeContext(material: ContextMaterial): Promise<BuiltContext>;
  /** All of it at once. */
  buildContext(request: ContextRequest): Promise<BuiltContext>;
  searchTurns(input: {
    sessionId: string;
    query: string;
    maxResults: number;
    relevanceThreshold: number;
    timeRange: { from?: number; to?: number } | null;
  }): Promise<ContextTurn[]>;

  getSummary(
    sessionId: string,
    conversationId: string | null,
  ): Promise<{ current: SummaryRecord | null; history: SummaryRecord[] }>;
  /** The person's own summary; becomes the newest version. */
  putSummary(input: {
    sessionId: string;
    conversationId: string | null;
    text: string;
  }): Promise<SummaryRecord>;

  getAgentState(sessionId: string, agent: Agent): Promise<AgentStateRecord>;
  putAgentState(input: {
    sessionId: string;
    agent: Agent;
    state: JsonObject;
    expectedVersion?: number;
  }): Promise<AgentStateRecord>;

  /** A text as the record holds it: without the secrets in it, where these are masked. */
  asStored(text: string): string;

  /** The whole session, row by row, as NDJSON lines without the line end. */
  exportSession(sessionId: string): AsyncIterable<string>;
  /** Takes an export back. Nothing is visible until all of it is stored. */
  importSession(lines: AsyncIterable<string>): Promise<{ session: SessionRecord; token: string }>;
}
