import type { Analytics } from './analytics/analytics.ts';
import type { CausalEventRecord, CausalLinkRecord, JudgedBy, Relation } from '../store/causal-store.ts';

/** A chain of causes as a person reads it, with where each part comes from. */
export interface CausalNarrative {
  /** Plain sentences; empty when nothing is known. */
  text: string;
  /** The events of the text, in the order of time. */
  events: CausalEventRecord[];
  links: CausalLinkRecord[];
  /** The chains that are told, the one that fits the query best first. */
  chains: CausalChain[];
  /** Of the events that the query itself names, by event id, 0 to 1. */
  scores: Record<string, number>;
  tokenCount: number;
}

export interface CausalGraph {
  /** In the order of time. */
  nodes: CausalEventRecord[];
  /** All known links between the nodes. */
  links: CausalLinkRecord[];
  /** True when the session holds more than was asked for. */
  truncated: boolean;
}

/** One way through the graph, from its first event to its last. */
export interface CausalChain {
  eventIds: string[];
  linkIds: string[];
  /** Product of the links' confidences; 1 when the chain is the event alone. */
  confidence: number;
}

/** What led to an event, or what came of it. */
export interface CausalExplanation extends CausalGraph {
  event: CausalEventRecord;
  /** The most probable chain: from a root to the event, or from the event to an end. */
  chain: CausalChain;
}

/** Something that stands against an event: it prevented it (or its return), or took its place. */
export interface CounterEvent {
  event: CausalEventRecord;
  link: CausalLinkRecord;
}

/** An event as a caller gives it. */
export interface EventInput {
  text: string;
  actor?: string | null;
  /** Now when absent. */
  happenedAt?: number;
  conversationId?: string | null;
  sourceTurnId?: string | null;
  /** `person` when absent. */
  recordedBy?: JudgedBy;
}

/** A link as a caller gives it: by a person, unless it says otherwise. */
export interface LinkInput {
  causeId: string;
  effectId: string;
  relation: Relation;
  /** 1 when absent: a person who says so is sure. */
  confidence?: number;
  explanation?: string;
  judgedBy?: JudgedBy;
}

/**
 * Why things happened. Facts go to the record; questions go to a DuckDB projection that has caught up with the record
 * before it answers. Everything stays within one session. Unknown ids throw session_not_found, event_not_found and
 * link_not_found.
 */
export interface CausalMemoryCore {
  /** Stores events; a judge looks for their causes in the background. */
  addEvents(sessionId: string, events: EventInput[]): Promise<CausalEventRecord[]>;
  /** Corrects an event by a person's word; with no change, confirms it. */
  changeEvent(
    sessionId: string,
    eventId: string,
    change: { text?: string; actor?: string | null; happenedAt?: number },
  ): Promise<CausalEventRecord>;
  removeEvent(sessionId: string, eventId: string): Promise<void>;
  getEvent(sessionId: string, eventId: string): Promise<CausalEventRecord>;
  /** @throws link_refused; then none of the links is stored */
  addLinks(sessionId: string, links: LinkInput[]): Promise<CausalLinkRecord[]>;
  /** Corrects a link by a person's word; with no change, confirms it as certain. */
  changeLink(
    sessionId: string,
    linkId: string,
    change: { relation?: Relation; confidence?: number; explanation?: string },
  ): Promise<CausalLinkRecord>;
  /** A person takes a link out: no judge puts it back. */
  removeLink(sessionId: string, linkId: string): Promise<void>;
  getLink(sessionId: string, linkId: string): Promise<CausalLinkRecord>;

  /**
   * What bears on the query, told in plain sentences. `onlyWhenTelling` is for prompts: the text stays empty unless the
   * query asks for reasons or resembles something that went on before.
   */
  narrative(input: {
    sessionId: string;
    query: string;
    maxTokens: number;
    onlyWhenTelling?: boolean;
  }): Promise<CausalNarrative>;
  why(sessionId: string, eventId: string): Promise<CausalExplanation>;
  effects(sessionId: string, eventId: string): Promise<CausalExplanation>;
  preventedBy(sessionId: string, eventId: string): Promise<CounterEvent[]>;
  supersededBy(sessionId: string, eventId: string): Promise<CounterEvent[]>;
  /** Events that match the query, or all of them when it is empty, in the order of time. */
  timeline(input: { sessionId: string; query: string; limit: number }): Promise<CausalGraph>;
  /** A neighbourhood, or a page of the newest events; `cursor` is the one the page before gave. */
  graph(input: {
    sessionId: string;
    aroundEventId: string | null;
    limit: number;
    cursor?: string | null;
  }): Promise<CausalGraph & { nextCursor: string | null }>;
  /** What the projection counts: causes, cycles and tokens of a session, or of all sessions with null. */
  analytics(sessionId: string | null): Promise<Analytics>;
  /** `available` only after a query has really been answered; lag is in changes not yet projected. */
  status(): Promise<{ available: boolean; reason: string | null; lag: number }>;
  /** Changes of the record that are not yet projected. */
  lag(): Promise<number>;
  /** Forgets a session's rows in the projection. */
  eraseSession(sessionId: string): Promise<void>;
  close(): Promise<void>;
}
