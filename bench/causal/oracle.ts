import type { Finding, Judge } from '../../src/causal/judging/judge.ts';
import { RELATION_OF, type EvalGraph } from './graphs.ts';

/** The event that stands for a node of a graph. */
export type Node = { graph: EvalGraph; id: number };

export interface OracleCounts {
  calls: number;
  candidates: number;
  most: number;
}

/**
 * A judge that answers from the graphs' own edges, and only about the candidates it is shown: what it is not shown is
 * not found. So what is measured is whether the true cause reaches the judge.
 */
export function oracleJudge(nodeOf: (eventId: string) => Node | undefined, counts: OracleCounts): Judge {
  return {
    judgedBy: 'model',
    judge: (event, candidates) => {
      counts.calls += 1;
      counts.candidates += candidates.length;
      counts.most = Math.max(counts.most, candidates.length);
      const node = nodeOf(event.eventId);
      return Promise.resolve(
        candidates.map((candidate) => ({
          candidate,
          finding: findingOf(node, nodeOf(candidate.eventId)),
          confidence: 0.9,
          explanation: '',
        })),
      );
    },
  };
}

function findingOf(event: Node | undefined, candidate: Node | undefined): Finding {
  if (!event || !candidate || event.graph !== candidate.graph) return 'none';
  for (const edge of event.graph.edges) {
    const forward = edge.from === candidate.id && edge.to === event.id;
    const backward = edge.from === event.id && edge.to === candidate.id;
    const relation = RELATION_OF[edge.relation];
    if (forward && relation === 'caused') return 'candidate_caused_new';
    if (forward && relation === 'enabled') return 'candidate_enabled_new';
    if (forward && relation === 'prevented') return 'candidate_prevented_new';
    if (backward && relation === 'prevented') return 'new_prevents_candidate';
    if (backward && relation === 'superseded') return 'new_supersedes_candidate';
  }
  return 'none';
}
