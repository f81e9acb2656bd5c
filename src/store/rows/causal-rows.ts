import type {
  CausalEventRecord,
  CausalLinkRecord,
  JudgedBy,
  RankedEvent,
  Relation,
} from '../causal-store.ts';

export interface EventRow {
  session_id: string;
  event_no: number;
  event_id: string;
  conversation_id: string | null;
  source_turn_id: string | null;
  text: string;
  actor: string | null;
  happened_at: number;
  stored_at: number;
  recorded_by: JudgedBy;
  judged: number;
  last_used: number;
  change_seq: number;
}

export interface RankedRow extends EventRow {
  open: number;
  linked: number;
}

export interface LinkRow {
  session_id: string;
  link_id: string;
  cause_no: number;
  effect_no: number;
  cause_id: string;
  effect_id: string;
  relation: Relation;
  confidence: number;
  explanation: string;
  judged_by: JudgedBy;
  stored_at: number;
  change_seq: number;
}

/** The columns of a link with the ids of its ends, from `causal_links l` and its two events. */
export const LINK_COLUMNS = `l.session_id, l.link_id, l.cause_no, l.effect_no, c.event_id AS cause_id,
  e.event_id AS effect_id, l.relation, l.confidence, l.explanation, l.judged_by, l.stored_at, l.change_seq`;
export const LINK_TABLES = `causal_links l
  JOIN causal_events c ON c.session_id = l.session_id AND c.event_no = l.cause_no
  JOIN causal_events e ON e.session_id = l.session_id AND e.event_no = l.effect_no`;

export function eventFromRow(row: EventRow): CausalEventRecord {
  return {
    sessionId: row.session_id,
    eventId: row.event_id,
    eventNo: row.event_no,
    conversationId: row.conversation_id,
    sourceTurnId: row.source_turn_id,
    text: row.text,
    actor: row.actor,
    happenedAt: row.happened_at,
    storedAt: row.stored_at,
    recordedBy: row.recorded_by,
    judged: row.judged === 1,
    lastUsed: row.last_used,
    changeSeq: row.change_seq,
  };
}

export function rankedFromRow(row: RankedRow): RankedEvent {
  return { ...eventFromRow(row), open: row.open === 1, linked: row.linked === 1 };
}

export function linkFromRow(row: LinkRow): CausalLinkRecord {
  return {
    sessionId: row.session_id,
    linkId: row.link_id,
    causeId: row.cause_id,
    effectId: row.effect_id,
    relation: row.relation,
    confidence: row.confidence,
    explanation: row.explanation,
    judgedBy: row.judged_by,
    storedAt: row.stored_at,
    changeSeq: row.change_seq,
  };
}
