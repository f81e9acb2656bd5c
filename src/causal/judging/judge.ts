import { newId } from '../../base/ids.ts';
import type {
  CausalEventRecord,
  JudgedBy,
  NewCausalLink,
  RankedEvent,
  Relation,
} from '../../store/causal-store.ts';

/** How a judge may find an earlier event and a new one to hang together, in words that cannot be turned around. */
export const FINDINGS = [
  'candidate_caused_new',
  'candidate_enabled_new',
  'candidate_prevented_new',
  'new_prevents_candidate',
  'new_supersedes_candidate',
  'none',
] as const;
export type Finding = (typeof FINDINGS)[number];

export interface Judgement {
  candidate: CausalEventRecord;
  finding: Finding;
  /** 0 to 1. */
  confidence: number;
  /** One sentence. */
  explanation: string;
}

/** Says which of the candidates, all earlier, have to do with an event. */
export interface Judge {
  readonly judgedBy: JudgedBy;
  /** Null: no answer that could be used. Nothing is concluded from that. */
  judge(
    event: CausalEventRecord,
    candidates: RankedEvent[],
    signal: AbortSignal,
  ): Promise<Judgement[] | null>;
}

const LINK_OF: Record<Exclude<Finding, 'none'>, { relation: Relation; newIs: 'cause' | 'effect' }> = {
  candidate_caused_new: { relation: 'caused', newIs: 'effect' },
  candidate_enabled_new: { relation: 'enabled', newIs: 'effect' },
  candidate_prevented_new: { relation: 'prevented', newIs: 'effect' },
  new_prevents_candidate: { relation: 'prevented', newIs: 'cause' },
  new_supersedes_candidate: { relation: 'superseded', newIs: 'cause' },
};

/** The links that a judge's findings stand for. */
export function linksOf(
  event: CausalEventRecord,
  judgements: Judgement[],
  judgedBy: JudgedBy,
): NewCausalLink[] {
  return judgements.flatMap(({ candidate, finding, confidence, explanation }) => {
    if (finding === 'none') return [];
    const { relation, newIs } = LINK_OF[finding];
    const [causeId, effectId] =
      newIs === 'cause' ? [event.eventId, candidate.eventId] : [candidate.eventId, event.eventId];
    return [{ linkId: newId('link'), causeId, effectId, relation, confidence, explanation, judgedBy }];
  });
}
