import type { ChosenLesson } from './lessons/choose-lessons.ts';
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
import type { FactRecord } from '../store/fact-store.ts';
import type { SessionStatistics } from '../store/statistics.ts';
import type { FactService } from './facts/fact-service.ts';

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

/** What a prompt is being built for. */
export interface ContextRequest {
  sessionId: string;
  /** The conversation being continued; its newest turns are what the client sent, not memory. */
  conversationId: string | null;
  directive: string;
  maxTurns: number;
  maxTokens: number;
  includeAgentState: boolean;
  includeCausal: boolean;
  /** Texts the client already sent: remembered turns equal to one of them are left out. */
  alreadySent: string[];
}

/** One remembered turn with why it is here. */
export interface ContextTurn {
  turn: TurnRecord;
  /** 0 to 1 within this result; 1 is the best. */
  score: number;
  /** How it was found. */
  source: 'recent' | 'lexical' | 'dense' | 'neighbour';
  /**
   * What the score was made of. Of a `lexical` turn: the sum of the ranking's parts (`ScoreParts`), divided by `best`,
   * the sum of the best turn found, and multiplied by `inner_work` and `superseded` where these stand. `fact`: it tells
   * what holds now, and has at least this score. Of a `neighbour`: half of `beside`, the score of the turn beside it.
   */
  parts: Record<string, number>;
  /** Set when the person has said otherwise since: in which turn (null: not in a turn), and when (milliseconds since the epoch). */
  superseded?: { byTurnId: string | null; at: number };
}

/** One fact with why it is here. */
export interface ContextFact {
  fact: FactRecord;
  /** 0 to 1. */
  score: number;
  source: 'pinned' | 'lexical';
  parts: Record<string, number>;
}

/** What memory has to add to a prompt, and the reasons. */
export interface BuiltContext {
  /** The text for the prompt: delimited, attributed data. Null when memory has nothing to say. */
  prompt: string | null;
  /** Tokens of `prompt`. */
  tokenCount: number;
  relevantTurns: ContextTurn[];
  relevantConversations: { conversationId: string; directive: string; score: number; source: string }[];
  summary: SummaryRecord | null;
  causalNarrative: string | null;
  /** Of the events of the narrative: what prevented them or took their place. */
  counters?: {
    relation: 'prevented' | 'superseded';
    against: { text: string; at: number };
    by: { text: string; at: number };
  }[];
  agentStates: AgentStateRecord[];
  /** Active lessons for the directive; they stand in the agents' own prompts, not in `prompt`. */
  lessons: ChosenLesson[];
  totalConversations: number;
  /** Sections of `prompt` in order, with their tokens: for the inspector. */
  sections: { name: string; text: string; tokens: number }[];
  /** Facts in the prompt: pinned ones, then those that bear on the directive. */
  facts: ContextFact[];
  /** Found, but left out for want of room. */
  omittedTurns: number;
  omittedFacts: number;
  /** What is missing because a part of memory failed, in words for a client. */
  faults?: string[];
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
