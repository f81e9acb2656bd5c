import { isoTime } from '../../base/clock.ts';
import type { Analytics, Latency, Tokens } from '../../causal/analytics/analytics.ts';
import type { SessionStatistics } from '../../store/statistics.ts';
import { eventView, linkView } from '../causal/views.ts';

export function countsView({
  conversations,
  turns,
  summaries,
  cycles,
  causal,
  maskedSecrets,
  jobs,
}: SessionStatistics) {
  return {
    conversations,
    turns: {
      total: turns.total,
      by_agent: turns.byAgent,
      by_kind: turns.byKind,
      by_day: turns.byDay,
      first_at: turns.firstAt === null ? null : isoTime(turns.firstAt),
      last_at: turns.lastAt === null ? null : isoTime(turns.lastAt),
    },
    summaries: { versions: summaries.versions, by_person: summaries.byPerson },
    cycles,
    causal,
    masked_secrets: maskedSecrets,
    jobs,
  };
}

/** What the projection counts; all null while it does not answer. */
export function figuresView(analytics: Analytics | null) {
  if (!analytics) return { causes: null, cycle_figures: null, tokens: null };
  const { causes, cycles, tokens } = analytics;
  return {
    causes: {
      root_causes: causes.rootCauses.map(({ event, effects, directEffects }) => ({
        session_id: event.sessionId,
        event: eventView(event),
        effects,
        direct_effects: directEffects,
      })),
      longest_chains: causes.longestChains.map(({ sessionId, events, links, confidence }) => ({
        session_id: sessionId,
        length: events.length,
        confidence,
        events: events.map(eventView),
        links: links.map(linkView),
      })),
      truncated: causes.truncated,
    },
    cycle_figures: {
      total: cycles.total,
      by_outcome: cycles.byOutcome.map((row) => ({
        outcome: row.outcome,
        cycles: row.cycles,
        mean_rounds: rounded(row.meanRounds),
        ...latencyView(row),
      })),
      by_outcome_and_rounds: cycles.byOutcomeAndRounds,
      by_day: cycles.byDay.map((row) => ({
        day: row.day,
        cycles: row.cycles,
        approved: row.approved,
        mean_rounds: rounded(row.meanRounds),
        ...latencyView(row),
      })),
    },
    tokens: {
      by_agent: tokens.byAgent.map((row) => ({ agent: row.agent, ...tokensView(row) })),
      by_day: tokens.byDay.map((row) => ({ day: row.day, agent: row.agent, ...tokensView(row) })),
    },
  };
}

function latencyView({ p50Ms, p95Ms }: Latency) {
  return { p50_seconds: p50Ms / 1000, p95_seconds: p95Ms / 1000 };
}

function tokensView({ calls, prompt, completion, total }: Tokens) {
  return { calls, prompt_tokens: prompt, completion_tokens: completion, total_tokens: total };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
