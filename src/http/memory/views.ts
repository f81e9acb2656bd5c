import { isoTime } from '../../base/clock.ts';
import type { FactRecord } from '../../store/fact-store.ts';
import type {
  AgentStateRecord,
  ConversationRecord,
  SessionRecord,
  SummaryRecord,
  TurnRecord,
} from '../../store/records.ts';
import { lessonView } from './lesson-view.ts';
import type { BuiltContext, ContextTurn } from '../../memory/context/context-types.ts';

export function sessionView(session: SessionRecord) {
  return {
    session_id: session.sessionId,
    created_at: isoTime(session.createdAt),
    last_active: isoTime(session.lastActive),
    user_preferences: session.userPreferences,
    status: session.status,
  };
}

export function sessionDetails(session: SessionRecord) {
  return {
    ...sessionView(session),
    initial_context: session.initialContext,
    conversation_count: session.conversationCount,
    total_turns: session.totalTurns,
  };
}

export function conversationView(conversation: ConversationRecord) {
  return {
    conversation_id: conversation.conversationId,
    session_id: conversation.sessionId,
    directive: conversation.directive,
    created_at: isoTime(conversation.createdAt),
    last_active: isoTime(conversation.lastActive),
    turn_count: conversation.turnCount,
    ...(conversation.removedTurns > 0 ? { removed_turns: conversation.removedTurns } : {}),
  };
}

export function turnView(turn: TurnRecord) {
  return {
    turn_id: turn.turnId,
    conversation_id: turn.conversationId,
    turn_number: turn.turnNumber,
    agent: turn.agent,
    kind: turn.kind,
    content: turn.content,
    speaker: turn.speaker,
    timestamp: isoTime(turn.timestamp),
    cycle_id: turn.cycleId,
    metadata: turn.metadata,
  };
}

export function contextTurnView({ turn, score, source, parts, superseded }: ContextTurn) {
  return {
    ...turnView(turn),
    score,
    source,
    score_parts: parts,
    superseded_by: superseded?.byTurnId ?? null,
    superseded_at: superseded ? isoTime(superseded.at) : null,
  };
}

export function agentStateView(state: AgentStateRecord) {
  return {
    session_id: state.sessionId,
    agent: state.agent,
    version: state.version,
    state: state.state,
    updated_at: isoTime(state.updatedAt),
  };
}

export function summaryView(summary: SummaryRecord) {
  return {
    conversation_id: summary.conversationId,
    version: summary.version,
    summary: summary.text,
    covers_through: summary.coversThrough,
    first_turn_id: summary.firstTurnId,
    last_turn_id: summary.lastTurnId,
    author: summary.author,
    created_at: isoTime(summary.createdAt),
  };
}

export function factView(record: FactRecord) {
  return {
    fact_id: record.factId,
    subject: record.subject,
    attribute: record.attribute,
    value: record.value,
    text: record.text,
    exclusive: record.exclusive,
    valid_from: isoTime(record.validFrom),
    valid_until: record.validUntil === null ? null : isoTime(record.validUntil),
    superseded_by: record.supersededBy,
    conversation_id: record.conversationId,
    source_turn_id: record.sourceTurnId,
    author: record.author,
    pinned: record.pinned,
    version: record.version,
    created_at: isoTime(record.createdAt),
    updated_at: isoTime(record.updatedAt),
  };
}

export function contextView(sessionId: string, context: BuiltContext) {
  return {
    session_id: sessionId,
    relevant_turns: context.relevantTurns.map(contextTurnView),
    relevant_conversations: context.relevantConversations.map((conversation) => ({
      conversation_id: conversation.conversationId,
      directive: conversation.directive,
      score: conversation.score,
      source: conversation.source,
    })),
    context_summary: context.summary?.text ?? null,
    causal_narrative: context.causalNarrative,
    agent_states: context.agentStates.map(agentStateView),
    lessons: context.lessons.map(({ lesson, score, source }) => ({ ...lessonView(lesson), score, source })),
    total_conversations: context.totalConversations,
    token_count: context.tokenCount,
    facts: context.facts.map(({ fact, score, source, parts }) => ({
      ...factView(fact),
      score,
      source,
      score_parts: parts,
    })),
    omitted_turns: context.omittedTurns,
    omitted_facts: context.omittedFacts,
    sections: context.sections,
    prompt: context.prompt,
  };
}
