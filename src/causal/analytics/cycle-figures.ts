import type { DuckReader, Row } from '../projection/duckdb.ts';
import type { CycleFigures, Latency, TokenFigures, Tokens } from './analytics.ts';

/** Outcomes as the record names them: what rests may still go on, so it has not ended. */
const RESTING = "('awaiting_decision', 'awaiting_tools', 'drained')";
const APPROVED = "('approved', 'approved_with_notes')";
const DAY_MS = 86_400_000;

const LATENCY = 'quantile_cont(worked_ms, 0.5)::DOUBLE, quantile_cont(worked_ms, 0.95)::DOUBLE';

/** Rows of one session, or of all. */
export type Scope = number | null;
export const within = (scope: Scope) => (scope === null ? 'true' : `session_key = ${String(scope)}`);

export async function cycleFigures(duck: DuckReader, scope: Scope): Promise<CycleFigures> {
  const rows = `FROM cycles WHERE ${within(scope)} AND outcome <> ''`;
  const byOutcome = await duck.rows(
    `SELECT outcome, count(*), avg(rounds), ${LATENCY} ${rows} GROUP BY outcome ORDER BY count(*) DESC, outcome`,
  );
  const byOutcomeAndRounds = await duck.rows(
    `SELECT outcome, rounds, count(*) ${rows} GROUP BY outcome, rounds ORDER BY outcome, rounds`,
  );
  const byDay = await duck.rows(
    `SELECT updated_at // ${String(DAY_MS)} AS day, count(*), count(*) FILTER (outcome IN ${APPROVED}), avg(rounds),
       ${LATENCY} ${rows} AND outcome NOT IN ${RESTING} GROUP BY day ORDER BY day`,
  );
  return {
    total: byOutcome.reduce((sum, row) => sum + Number(row[1]), 0),
    byOutcome: byOutcome.map((row) => ({
      outcome: String(row[0]),
      cycles: Number(row[1]),
      meanRounds: Number(row[2]),
      ...latency(row, 3),
    })),
    byOutcomeAndRounds: byOutcomeAndRounds.map(([outcome, rounds, cycles]) => ({
      outcome: String(outcome),
      rounds: Number(rounds),
      cycles: Number(cycles),
    })),
    byDay: byDay.map((row) => ({
      day: dayName(row[0]),
      cycles: Number(row[1]),
      approved: Number(row[2]),
      meanRounds: Number(row[3]),
      ...latency(row, 4),
    })),
  };
}

export async function tokenFigures(duck: DuckReader, scope: Scope): Promise<TokenFigures> {
  const sums = `count(*), sum(prompt_tokens)::DOUBLE, sum(completion_tokens)::DOUBLE, sum(total_tokens)::DOUBLE
    FROM calls WHERE ${within(scope)}`;
  const byAgent = await duck.rows(`SELECT agent, ${sums} GROUP BY agent ORDER BY agent`);
  const byDay = await duck.rows(
    `SELECT happened_at // ${String(DAY_MS)} AS day, agent, ${sums} GROUP BY day, agent ORDER BY day, agent`,
  );
  return {
    byAgent: byAgent.map((row) => ({ agent: String(row[0]), ...tokens(row, 1) })),
    byDay: byDay.map((row) => ({ day: dayName(row[0]), agent: String(row[1]), ...tokens(row, 2) })),
  };
}

function latency(row: Row, at: number): Latency {
  return { p50Ms: Math.round(Number(row[at])), p95Ms: Math.round(Number(row[at + 1])) };
}

function tokens(row: Row, at: number): Tokens {
  return {
    calls: Number(row[at]),
    prompt: Number(row[at + 1]),
    completion: Number(row[at + 2]),
    total: Number(row[at + 3]),
  };
}

/** Days since the epoch as `2026-05-08`. */
function dayName(day: number | string | null | undefined): string {
  return new Date(Number(day) * DAY_MS).toISOString().slice(0, 10);
}
