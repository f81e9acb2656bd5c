import type { CausalEventRecord, JudgedBy, Relation } from '../../store/causal-store.ts';
import type { TurnRecord } from '../../store/records.ts';

/** An event as it was read in a conversation. */
export interface ExtractedEvent {
  text: string;
  /** The turn that tells it. */
  turn: TurnRecord;
  actor: string | null;
}

/** What was read, with links that the text itself states. Places are those in `events`. */
export interface Extraction {
  events: ExtractedEvent[];
  links: { cause: number; effect: number; relation: Relation; confidence: number; explanation: string }[];
}

/** Reads turns for the few events that matter. */
export interface Extractor {
  readonly recordedBy: JudgedBy;
  /** `known` has been noted already. Null: no answer that could be used. */
  extract(turns: TurnRecord[], known: CausalEventRecord[], signal: AbortSignal): Promise<Extraction | null>;
}

/** Most events of one reading. */
export const MOST_EVENTS = 5;

/** Who did what a turn tells, when the text names nobody: the person who speaks, or the agent. */
export function speakerOf(turn: TurnRecord): string {
  return turn.speaker ?? turn.agent;
}
