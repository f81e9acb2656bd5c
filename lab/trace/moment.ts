import type { StoredEvent } from '../api/events.ts';
import type { CycleView, Verdict } from '../api/types.ts';
import { outcomeName } from '../text/words.ts';
import { usageOf } from './tree.ts';

/** What was known of a cycle at one moment of it. */
export interface Moment {
  /** Events of the log that had happened. */
  happened: number;
  /** What was going on, in one sentence. */
  sentence: string;
  /** Tokens of the calls that were over. */
  tokens: number;
  guidance: string | null;
  draft: { round: number; text: string } | null;
  /** The draft before that one. */
  draftBefore: { round: number; text: string } | null;
  verdict: { round: number; verdict: Verdict } | null;
  answer: string | null;
}

const NOTHING: Moment = {
  happened: 0,
  sentence: 'Nothing has happened yet.',
  tokens: 0,
  guidance: null,
  draft: null,
  draftBefore: null,
  verdict: null,
  answer: null,
};

/** Reads the log up to a moment, in milliseconds since the epoch, and forgets what came later. */
export function momentAt(view: CycleView, events: StoredEvent[], at: number): Moment {
  const past = events.filter(({ created_at: when }) => Date.parse(when) <= at);
  const over = view.steps.filter(({ ended_at: when }) => when !== null && Date.parse(when) <= at);
  const tokens = over.reduce((sum, step) => sum + (usageOf(step)?.total_tokens ?? 0), 0);
  return { ...past.reduce(learned, NOTHING), happened: past.length, tokens };
}

function learned(known: Moment, event: StoredEvent): Moment {
  // It comes after the end, and does not change how the cycle ended.
  if (event.type === 'lessons_learned') return known;
  const after = { ...known, sentence: sentenceOf(event) };
  if (event.type === 'guidance') return { ...after, guidance: event.text };
  if (event.type === 'draft')
    return { ...after, draftBefore: known.draft, draft: { round: event.round, text: event.text } };
  if (event.type === 'verdict') return { ...after, verdict: { round: event.round, verdict: event.verdict } };
  if (event.type === 'cycle_ended') return { ...after, answer: event.answer === '' ? null : event.answer };
  return after;
}

const DECISIONS: Record<string, string> = {
  approve: 'approves it',
  revise: 'sends it back',
  ask_person: 'asks the person',
};

/** What an event of the log tells, in one sentence. */
export function sentenceOf(event: StoredEvent): string {
  switch (event.type) {
    case 'cycle_started':
      return 'Wykeve gives the directive.';
    case 'step_started': {
      const again = event.attempt > 1 ? ', once more' : '';
      if (event.step === 'guide') return `Beatrice writes her guidance${again}.`;
      if (event.step === 'draft') return `Codey writes draft ${String(event.round)}${again}.`;
      return `Beatrice reviews draft ${String(event.round)}${again}.`;
    }
    case 'guidance':
      return 'The guidance is written.';
    case 'draft': {
      const failed = event.checks.filter(({ passed }) => !passed).length;
      return `Draft ${String(event.round)} is written${failed > 0 ? `; ${String(failed)} of its checks failed` : ''}.`;
    }
    case 'verdict': {
      const { decision, issues } = event.verdict;
      const open = issues.length === 0 ? '' : ` with ${String(issues.length)} open`;
      return `Beatrice has read draft ${String(event.round)} and ${DECISIONS[decision] ?? decision}${open}.`;
    }
    case 'verdict_unreadable':
      return 'The review could not be read.';
    case 'tools_called':
      return 'Codey calls tools of the client.';
    case 'tools_answered':
      return 'The tools have answered.';
    case 'decided':
      return `Wykeve decides: ${event.decision}.`;
    case 'resumed':
      return 'The cycle goes on after an interruption.';
    case 'lessons_learned': {
      const count = event.lesson_ids.length + event.confirmed_ids.length;
      return `Codey learns from it: ${String(count)} ${count === 1 ? 'lesson' : 'lessons'}.`;
    }
    case 'cycle_ended':
      return `It ends: ${outcomeName(event.outcome)}.`;
  }
}
