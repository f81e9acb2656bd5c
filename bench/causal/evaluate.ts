import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { createCausalMemory } from '../../src/causal/create-causal-memory.ts';
import type { CausalMemoryCore } from '../../src/causal/causal-memory-core.ts';
import { judgeEvent } from '../../src/causal/judging/judge-event.ts';
import type { CausalEventRecord } from '../../src/store/causal-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { RELATION_OF, type EvalGraph } from './graphs.ts';
import { oracleJudge, type Node, type OracleCounts } from './oracle.ts';

export type Tally = Record<string, { right: number; of: number }>;

export interface Evaluation {
  events: number;
  counts: OracleCounts;
  /** Edges of each relation that became links. */
  edges: Tally;
  /** Questions of each category that were answered right. */
  questions: Tally;
  /** In words, what was missed. */
  missed: string[];
}

/** The nodes of all graphs as one stream: `picks` says whose node comes next. */
export function interleave(
  graphs: EvalGraph[],
  next: (open: number[]) => number,
): { graph: EvalGraph; id: number }[] {
  const queues = graphs.map((graph) => ({
    graph,
    ids: [...graph.nodes].sort((a, b) => a.order - b.order).map(({ id }) => id),
  }));
  const stream: { graph: EvalGraph; id: number }[] = [];
  for (;;) {
    const open = queues.flatMap(({ ids }, at) => (ids.length > 0 ? [at] : []));
    if (open.length === 0) return stream;
    const queue = queues[next(open)];
    const id = queue?.ids.shift();
    if (queue && id !== undefined) stream.push({ graph: queue.graph, id });
  }
}

/** One node of each graph in turn. */
export function roundRobin(): (open: number[]) => number {
  let last = -1;
  return (open) => (last = open.find((at) => at > last) ?? open[0] ?? 0);
}

/**
 * Feeds a stream of events into one session: each with its text and the person who speaks, and nothing else; no
 * conversation, no tags, no embeddings. Each is judged once, as the background job does it, before the next one comes.
 */
export async function evaluate(graphs: EvalGraph[], next: (open: number[]) => number): Promise<Evaluation> {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-causal-'));
  const dal = await openSqliteStore({ file: join(folder, 'record.db'), threads: false });
  const causal = createCausalMemory({ store: dal.causal, projectionFile: join(folder, 'causal.duckdb') });
  try {
    const [sessionId, now] = ['sess_bench', Date.UTC(2026, 0, 1)];
    await dal.sessions.create({ sessionId, tokenHash: 't', userPreferences: {}, initialContext: null, now });
    const nodeOf = new Map<string, Node>();
    const eventOf = new Map<EvalGraph, Map<number, CausalEventRecord>>(
      graphs.map((graph) => [graph, new Map()]),
    );
    const counts: OracleCounts = { calls: 0, candidates: 0, most: 0 };
    const judge = judgeEvent({
      store: dal.causal,
      judge: oracleJudge((eventId) => nodeOf.get(eventId), counts),
      clock: systemClock,
      changed: () => undefined,
    });
    const stream = interleave(graphs, next);
    for (const [at, { graph, id }] of stream.entries()) {
      const node = graph.nodes.find((each) => each.id === id);
      if (!node) continue;
      const [event] = await causal.addEvents(sessionId, [
        { text: node.action, actor: node.person, happenedAt: now + at * 60_000 },
      ]);
      if (!event) continue;
      nodeOf.set(event.eventId, { graph, id });
      eventOf.get(graph)?.set(id, event);
      const job = { sessionId, payload: { event_id: event.eventId } } as unknown as Parameters<
        typeof judge
      >[0];
      await judge(job, { signal: new AbortController().signal, attempt: 1, isLastAttempt: false });
    }
    const result: Evaluation = { events: stream.length, counts, edges: {}, questions: {}, missed: [] };
    for (const graph of graphs) {
      const events = eventOf.get(graph) ?? new Map<number, CausalEventRecord>();
      await scoreEdges(graph, events, causal, sessionId, result);
      for (const question of graph.qa) await scoreQuestion(question, events, causal, sessionId, result);
    }
    return result;
  } finally {
    await causal.close();
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(tally: Tally, name: string, right: boolean): void {
  const entry = (tally[name] ??= { right: 0, of: 0 });
  entry.of += 1;
  if (right) entry.right += 1;
}

async function scoreEdges(
  graph: EvalGraph,
  events: Map<number, CausalEventRecord>,
  causal: CausalMemoryCore,
  sessionId: string,
  { edges, missed }: Evaluation,
): Promise<void> {
  for (const edge of graph.edges) {
    const relation = RELATION_OF[edge.relation];
    const [cause, effect] = [events.get(edge.from), events.get(edge.to)];
    if (relation === undefined || !cause || !effect) continue;
    const around = await causal.graph({ sessionId, aroundEventId: effect.eventId, limit: 500 });
    const found = around.links.some(
      (link) =>
        link.causeId === cause.eventId && link.effectId === effect.eventId && link.relation === relation,
    );
    count(edges, relation, found);
    if (!found) missed.push(`graph ${String(graph.id)}, ${relation}: “${cause.text}” → “${effect.text}”`);
  }
}

/**
 * How each category is asked of the graph:
 * 11 root cause: `why(event)`; its most probable chain must be the gold chain, event for event.
 * 12 what would happen again: `effects(event)`; the end of its chain.
 * 14 what prevented it: the first of `prevented_by(event)`.
 * 15 which came first: the order of `timeline`.
 * 17 what is now believed: follow `superseded_by` from the decision that had worked (the cause of an `enabled` link).
 */
async function scoreQuestion(
  { category, question, evidence_nodes: evidence }: EvalGraph['qa'][number],
  events: Map<number, CausalEventRecord>,
  causal: CausalMemoryCore,
  sessionId: string,
  { questions, missed }: Evaluation,
): Promise<void> {
  const ids = evidence.map((node) => events.get(node)?.eventId ?? '');
  const first = ids[0] ?? '';
  const last = ids.at(-1) ?? '';
  let right: boolean;
  switch (category) {
    case 11:
      right = (await causal.why(sessionId, last)).chain.eventIds.join() === ids.join();
      break;
    case 12:
      right = (await causal.effects(sessionId, first)).chain.eventIds.at(-1) === last;
      break;
    case 14:
      right = (await causal.preventedBy(sessionId, last))[0]?.event.eventId === first;
      break;
    case 15: {
      const { nodes } = await causal.timeline({ sessionId, query: question, limit: 50 });
      const places = ids.map((id) => nodes.findIndex(({ eventId }) => eventId === id));
      right = places.every((place, at) => place >= 0 && (at === 0 || place > (places[at - 1] ?? -1)));
      break;
    }
    case 17:
      right = await isBelievedNow(causal, sessionId, first, events);
      break;
    default:
      return;
  }
  count(questions, String(category), right);
  if (!right) missed.push(`category ${String(category)}: ${question}`);
}

async function isBelievedNow(
  causal: CausalMemoryCore,
  sessionId: string,
  expected: string,
  events: Map<number, CausalEventRecord>,
): Promise<boolean> {
  const { links } = await causal.graph({ sessionId, aroundEventId: null, limit: 2_000 });
  const own = new Set([...events.values()].map(({ eventId }) => eventId));
  const decisions = links.filter(({ relation, causeId }) => relation === 'enabled' && own.has(causeId));
  for (const { causeId } of decisions) {
    const [now] = await causal.supersededBy(sessionId, causeId);
    if (now) return now.event.eventId === expected;
  }
  return false;
}
