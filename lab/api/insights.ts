import type { CausalEvent, CausalLink } from './causes.ts';
import { call } from './http.ts';

export interface TokenRow {
  agent: string;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface CycleDay {
  /** UTC, `2026-05-08`. */
  day: string;
  cycles: number;
  approved: number;
  mean_rounds: number;
  p50_seconds: number;
  p95_seconds: number;
}

export interface LessonFigure {
  lesson_id: string;
  agent: string;
  text: string;
  status: string;
  pinned: boolean;
  effect: {
    with: { trials: number; approved: number };
    without: { trials: number; approved: number };
    helps: number;
  };
}

/** What the server has counted and figured out, of one session or of all. What it cannot tell now is null. */
export interface Analytics {
  sessions?: number;
  conversations: number;
  turns: { total: number } | number;
  causes: {
    root_causes: { session_id: string; event: CausalEvent; effects: number; direct_effects: number }[];
    longest_chains: {
      session_id: string;
      length: number;
      confidence: number;
      events: CausalEvent[];
      links: CausalLink[];
    }[];
    truncated: boolean;
  } | null;
  cycle_figures: {
    total: number;
    by_outcome: {
      outcome: string;
      cycles: number;
      mean_rounds: number;
      p50_seconds: number;
      p95_seconds: number;
    }[];
    by_outcome_and_rounds: { outcome: string; rounds: number; cycles: number }[];
    by_day: CycleDay[];
  } | null;
  tokens: { by_agent: TokenRow[]; by_day: (TokenRow & { day: string })[] } | null;
  lessons: LessonFigure[] | null;
}

/** Of one session; null: of all. */
export const analytics = (sessionId: string | null) =>
  call<Analytics>(
    'GET',
    sessionId === null ? '/api/v2/analytics' : `/api/v2/sessions/${encodeURIComponent(sessionId)}/analytics`,
  );
