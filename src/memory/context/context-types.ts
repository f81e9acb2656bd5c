import type { CausalNarrative } from '../../causal/causal-memory-core.ts';
import type { FactRecord } from '../../store/fact-store.ts';
import type {
  AgentStateRecord,
  ConversationRecord,
  SessionRecord,
  SummaryRecord,
  TurnRecord,
} from '../../store/records.ts';
import type { ChosenLesson } from '../lessons/choose-lessons.ts';

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
  /** Found, and not shown. */
  omittedTurns: number;
  omittedFacts: number;
  /** What is missing because a part of memory failed, in words for a client. */
  faults?: string[];
}

/** Turns that bear on a question. */
export interface FoundTurns {
  /** Best first. */
  found: ContextTurn[];
  /** Turns beside the best ones: an answer is hard to read without its question. */
  neighbours: ContextTurn[];
  /** How many more were found and not read, because these suffice. */
  unread: number;
}

/** Facts for a prompt. */
export interface FoundFacts {
  /** What the person wants kept in mind, in the order of storing. */
  pinned: ContextFact[];
  /** What else bears on the question, best first. */
  relevant: ContextFact[];
}

/** What is wanted of a session for one context. */
export interface GatherRequest extends Pick<
  ContextRequest,
  'sessionId' | 'directive' | 'maxTurns' | 'maxTokens' | 'includeAgentState'
> {
  /** Comparable texts of what the client has sent itself (`candidates.ts`). */
  alreadySent: string[];
  /** Now, in milliseconds since the epoch. */
  now: number;
}

/** What the record holds of a session for one context, whichever of its conversations is open. */
export interface Gathered {
  /** Null: there is none. */
  session: SessionRecord | null;
  summary: SummaryRecord | null;
  agentStates: AgentStateRecord[];
  facts: FoundFacts;
  relevant: FoundTurns;
  /** Those of the turns that are most probably shown. */
  conversations: ConversationRecord[];
}

/** What causal memory tells, if anything, and whether it could be asked. */
export interface ToldCauses {
  narrative: CausalNarrative | null;
  failed: boolean;
}

/** What was read of a session, whichever of its conversations is open. */
export interface SessionMaterial {
  gathered: Gathered;
  told: ToldCauses;
  lessons: ChosenLesson[];
}

/** All that was read for a context. */
export interface ContextMaterial {
  request: ContextRequest;
  gathered: Gathered & { session: SessionRecord };
  conversationSummary: SummaryRecord | null;
  /** Newest turns of the open conversation, oldest first. */
  recent: TurnRecord[];
  told: ToldCauses;
  lessons: ChosenLesson[];
}
