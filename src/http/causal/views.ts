import { isoTime } from '../../base/clock.ts';
import type {
  CausalChain,
  CausalExplanation,
  CausalGraph,
  CounterEvent,
} from '../../causal/causal-memory-core.ts';
import type { CausalEventRecord, CausalLinkRecord } from '../../store/causal-store.ts';

export function eventView(event: CausalEventRecord) {
  return {
    event_id: event.eventId,
    // The number that narratives refer to: [e12].
    event_no: event.eventNo,
    conversation_id: event.conversationId,
    source_turn_id: event.sourceTurnId,
    text: event.text,
    actor: event.actor,
    happened_at: isoTime(event.happenedAt),
    stored_at: isoTime(event.storedAt),
    recorded_by: event.recordedBy,
    judged: event.judged,
  };
}

export function linkView(link: CausalLinkRecord) {
  return {
    link_id: link.linkId,
    cause_id: link.causeId,
    effect_id: link.effectId,
    relation: link.relation,
    confidence: link.confidence,
    explanation: link.explanation,
    judged_by: link.judgedBy,
    stored_at: isoTime(link.storedAt),
  };
}

export function chainView(chain: CausalChain) {
  return { event_ids: chain.eventIds, link_ids: chain.linkIds, confidence: chain.confidence };
}

export function graphView(graph: CausalGraph) {
  return {
    nodes: graph.nodes.map(eventView),
    links: graph.links.map(linkView),
    truncated: graph.truncated,
  };
}

export function explanationView(sessionId: string, explanation: CausalExplanation) {
  return {
    session_id: sessionId,
    event: eventView(explanation.event),
    chain: chainView(explanation.chain),
    ...graphView(explanation),
  };
}

export function countersView(sessionId: string, eventId: string, counters: CounterEvent[]) {
  return {
    session_id: sessionId,
    event_id: eventId,
    data: counters.map(({ event, link }) => ({ event: eventView(event), link: linkView(link) })),
  };
}
