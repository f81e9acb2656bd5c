import type { Edge } from './edges.ts';

/** A way through the graph, its first event being where it begins. */
export interface Chain {
  eventNos: number[];
  /** `links[i]` leads from event i to event i + 1. */
  links: Edge[];
  /** Product of the links' confidences; 1 for a chain of one event. */
  confidence: number;
}

interface Step {
  confidence: number;
  length: number;
  via: Edge | null;
}

/**
 * The most probable chain that ends at an event and begins at a root, an event that nothing here led to: the product
 * of the confidences is largest. Of equals the longer one, which says more; then the one through the older event.
 */
export function chainToRoot(edges: Edge[], eventNo: number): Chain {
  return follow(
    edges,
    eventNo,
    (edge) => edge.effect,
    (edge) => edge.cause,
  );
}

/** The longest chain that ends at an event; of equals the more probable one. */
export function longestToRoot(edges: Edge[], eventNo: number): Chain {
  return follow(
    edges,
    eventNo,
    (edge) => edge.effect,
    (edge) => edge.cause,
    (a, b) => a.length - b.length || a.confidence - b.confidence,
  );
}

/** The most probable chain from an event to an end, an event that led to nothing here. */
export function chainToEnd(edges: Edge[], eventNo: number): Chain {
  return follow(
    edges,
    eventNo,
    (edge) => edge.cause,
    (edge) => edge.effect,
  );
}

/**
 * Best step from each event, by depth-first search with memory: the links have no loop, so each event is settled once
 * all beyond it are. A stack instead of recursion: a chain may be longer than the call stack.
 */
function follow(
  edges: Edge[],
  start: number,
  near: (edge: Edge) => number,
  far: (edge: Edge) => number,
  compare: (a: Step, b: Step) => number = (a, b) => a.confidence - b.confidence || a.length - b.length,
): Chain {
  const leaving = new Map<number, Edge[]>();
  for (const edge of edges) leaving.set(near(edge), [...(leaving.get(near(edge)) ?? []), edge]);
  const best = new Map<number, Step>();
  const stack: { no: number; opened: boolean }[] = [{ no: start, opened: false }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (best.has(top.no)) continue;
    const ways = leaving.get(top.no) ?? [];
    if (!top.opened) {
      stack.push({ no: top.no, opened: true });
      for (const way of ways) if (!best.has(far(way))) stack.push({ no: far(way), opened: false });
      continue;
    }
    let step: Step = { confidence: 1, length: 0, via: null };
    for (const via of [...ways].sort((a, b) => far(a) - far(b))) {
      const beyond = best.get(far(via));
      if (!beyond) continue;
      const way = { confidence: via.confidence * beyond.confidence, length: beyond.length + 1, via };
      if (step.via === null || compare(way, step) > 0) step = way;
    }
    best.set(top.no, step);
  }
  const links: Edge[] = [];
  const eventNos = [start];
  for (let via = best.get(start)?.via; via; via = best.get(far(via))?.via) {
    links.push(via);
    eventNos.push(far(via));
  }
  const confidence = best.get(start)?.confidence ?? 1;
  // Read from cause to effect, whichever way it was walked.
  const backwards = links[0] !== undefined && links[0].effect === start;
  return backwards
    ? { eventNos: eventNos.reverse(), links: links.reverse(), confidence }
    : { eventNos, links, confidence };
}
