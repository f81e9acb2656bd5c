import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Relation } from '../../src/store/causal-store.ts';

/** One graph of CausalEval: what happened, in order, and how it hangs together. */
export interface EvalGraph {
  id: number;
  nodes: { id: number; person: string; action: string; order: number }[];
  edges: { from: number; to: number; relation: string }[];
  qa: { category: number; question: string; answer: string; evidence_nodes: number[] }[];
}

/** The relations of the data that are links here. `similar_to` is no relation between cause and effect. */
export const RELATION_OF: Record<string, Relation> = {
  caused: 'caused',
  enabled: 'enabled',
  prevented: 'prevented',
  invalidates: 'superseded',
};

/** @throws Error with one plain sentence when the folder holds no graphs */
export function readGraphs(folder: string): EvalGraph[] {
  const files = existsSync(folder)
    ? readdirSync(folder).filter((name) => /^graph_\d+\.json$/.test(name))
    : [];
  if (files.length === 0) throw new Error(`There are no graphs (graph_N.json) in ${folder}.`);
  return files
    .map((name) => {
      const { graph, qa } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        graph: Omit<EvalGraph, 'qa'>;
        qa: EvalGraph['qa'];
      };
      return { ...graph, qa };
    })
    .sort((a, b) => a.id - b.id);
}
