import { CccError } from '../../base/ccc-error.ts';
import type { CausalEventRecord, CausalLinkRecord, CausalStore } from '../../store/causal-store.ts';
import type { CausalChain, CausalExplanation, CausalGraph, CounterEvent } from '../causal-memory-core.ts';
import type { CausalProjection } from '../projection/projection.ts';
import { chainToEnd, chainToRoot, type Chain } from './best-chain.ts';
import { ancestorEdges, countersOf, descendantEdges, MOST_EDGES, type Edge } from './edges.ts';

/** Most events of one explanation: those nearest to the event are kept. */
const MOST_NODES = 500;

export interface GraphDeps {
  store: CausalStore;
  projection: CausalProjection;
}

export async function requireEvent(
  store: CausalStore,
  sessionId: string,
  eventId: string,
): Promise<CausalEventRecord> {
  const event = await store.getEvent(sessionId, eventId);
  if (event) return event;
  if (!(await store.head(sessionId))) throw new CccError('session_not_found');
  throw new CccError('event_not_found');
}

export async function explain(
  { store, projection }: GraphDeps,
  sessionId: string,
  eventId: string,
  direction: 'causes' | 'effects',
): Promise<CausalExplanation> {
  const event = await requireEvent(store, sessionId, eventId);
  const edgesOf = direction === 'causes' ? ancestorEdges : descendantEdges;
  const found = await projection.ask(sessionId, (duck, key) => edgesOf(duck, key, [event.eventNo]));
  const { eventNos, cut } = nearest(found, event.eventNo, MOST_NODES);
  // Over all that was found: a chain is never cut in the middle.
  const chain = (direction === 'causes' ? chainToRoot : chainToEnd)(found, event.eventNo);
  const graph = await withRecords(store, sessionId, [...new Set([...eventNos, ...chain.eventNos])]);
  return {
    event,
    ...graph,
    chain: namedChain(chain, graph),
    truncated: cut || found.length > MOST_EDGES,
  };
}

/** What ends at the event with one of the relations that work against it. */
export async function countersTo(
  { store, projection }: GraphDeps,
  sessionId: string,
  eventId: string,
  relation: 'prevented' | 'superseded',
): Promise<CounterEvent[]> {
  const event = await requireEvent(store, sessionId, eventId);
  const edges = await projection.ask(sessionId, (duck, key) => countersOf(duck, key, [event.eventNo]));
  const causes = edges.filter((edge) => edge.relation === relation).map(({ cause }) => cause);
  const { nodes, links } = await withRecords(store, sessionId, [event.eventNo, ...causes]);
  return links
    .filter((link) => link.effectId === eventId && link.relation === relation)
    .flatMap((link) => {
      const by = nodes.find((node) => node.eventId === link.causeId);
      return by ? [{ event: by, link }] : [];
    })
    .sort((a, b) => b.link.confidence - a.link.confidence || b.event.happenedAt - a.event.happenedAt);
}

/** The events with all links between them. What was removed since the question was asked is left out. */
export async function withRecords(
  store: CausalStore,
  sessionId: string,
  eventNos: number[],
): Promise<CausalGraph> {
  const wanted = [...new Set(eventNos)];
  const [events, links] = await Promise.all([
    store.eventsByNo(sessionId, wanted),
    store.linksAmong(sessionId, wanted),
  ]);
  const nodes = events
    .map(({ open: _open, linked: _linked, ...event }): CausalEventRecord => event)
    .sort(byTime);
  return { nodes, links, truncated: false };
}

export function byTime(a: CausalEventRecord, b: CausalEventRecord): number {
  return a.happenedAt - b.happenedAt || a.eventNo - b.eventNo;
}

/** The chain by ids. It ends where an event or a link of it is gone. */
export function namedChain(
  chain: Chain,
  graph: { nodes: CausalEventRecord[]; links: CausalLinkRecord[] },
): CausalChain {
  const idOf = new Map(graph.nodes.map((node) => [node.eventNo, node.eventId]));
  const linkOf = new Map(graph.links.map((link) => [`${link.causeId} ${link.effectId}`, link.linkId]));
  const eventIds = chain.eventNos.flatMap((no) => idOf.get(no) ?? []);
  const linkIds = chain.links.flatMap(
    ({ cause, effect }) => linkOf.get(`${idOf.get(cause) ?? ''} ${idOf.get(effect) ?? ''}`) ?? [],
  );
  return { eventIds, linkIds, confidence: chain.confidence };
}

/** The events nearest to one, breadth first. */
function nearest(edges: Edge[], start: number, limit: number): { eventNos: number[]; cut: boolean } {
  const beside = new Map<number, number[]>();
  const note = (from: number, to: number) => {
    const known = beside.get(from);
    if (known) known.push(to);
    else beside.set(from, [to]);
  };
  for (const { cause, effect } of edges) {
    note(cause, effect);
    note(effect, cause);
  }
  const reached = new Set([start]);
  for (const no of reached) {
    for (const next of beside.get(no) ?? []) if (reached.size < limit) reached.add(next);
  }
  return {
    eventNos: [...reached],
    cut: [...beside.keys()].some((no) => !reached.has(no)),
  };
}
