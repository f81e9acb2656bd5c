import type { CausalEventRecord, CausalLinkRecord } from '../../store/causal-store.ts';
import { countTokens } from '../../text/tokens.ts';
import type { CausalChain, CausalGraph, CausalNarrative } from '../causal-memory-core.ts';
import { chainToEnd, chainToRoot } from '../graph/best-chain.ts';
import { ancestorEdges, countersOf, descendantEdges, type Edge } from '../graph/edges.ts';
import { byTime, withRecords, type GraphDeps } from '../graph/explain.ts';
import type { MeaningSearch } from '../meaning/meaning-search.ts';
import { asksWhy, findAnchors, type Anchor } from './anchors.ts';
import { tell, type Story } from './sentences.ts';

/** Stories in one narrative. */
const MOST_STORIES = 3;
/** Anchors that stories are looked for at. */
const MOST_ANCHORS = 6;
/** Longest chain that is told whole; of a longer one, its root and what is around the anchor. */
const TOLD_WHOLE = 8;
/** Without a question for reasons: how alike by words, and by how many, or how alike in meaning an event must be to be brought up. */
const RESEMBLES = { score: 0.5, shared: 2, likeness: 0.5 };

const NOTHING: CausalNarrative = { text: '', events: [], links: [], chains: [], scores: {}, tokenCount: 0 };

/** What bears on the query: for each event it names, the chain that led there and on. */
export async function narrate(
  deps: GraphDeps & { meaning: MeaningSearch | null; now: number },
  input: { sessionId: string; query: string; maxTokens: number; onlyWhenTelling?: boolean },
): Promise<CausalNarrative> {
  const { store, projection, meaning, now } = deps;
  const { sessionId, query, maxTokens, onlyWhenTelling = false } = input;
  const found = await findAnchors({ store, meaning }, { sessionId, query, limit: MOST_ANCHORS, now });
  if (found.length === 0) return NOTHING;
  const anchors = onlyWhenTelling ? telling(found, asksWhy(query)) : found;
  if (anchors.length === 0) return NOTHING;
  const nos = numbersOf(anchors);
  const { up, down, against } = await projection.ask(sessionId, async (duck, key) => {
    // What is known of an anchor's place in the graph spares a walk that would find nothing.
    const [linked, leading] = [
      anchors.filter(({ event }) => event.linked),
      anchors.filter(({ event }) => !event.open),
    ];
    const up = await ancestorEdges(duck, key, numbersOf(linked));
    const down = await descendantEdges(duck, key, numbersOf(leading));
    const ways = nos.map((no) => [chainToRoot(up, no), chainToEnd(down, no)]).flat();
    const shown = [...new Set(ways.flatMap((way) => way.eventNos))];
    return { up, down, against: await countersOf(duck, key, shown) };
  });
  const chains = distinctChains(nos, up, down);
  const all = [...chains.flatMap(({ eventNos }) => eventNos), ...against.map(({ cause }) => cause)];
  const graph = await withRecords(store, sessionId, all);
  const stories = chains.map(({ eventNos, anchor }) => storyOf(eventNos, anchor, against, graph));
  return compose(stories, anchors, maxTokens);
}

/** Only events that are part of a chain; and unless reasons are asked for, only those that the query resembles. */
function telling(anchors: Anchor[], why: boolean): Anchor[] {
  return anchors.filter(
    ({ event, score, shared, likeness }) =>
      event.linked &&
      ((why && (shared > 0 || likeness > 0)) ||
        (score >= RESEMBLES.score && shared >= RESEMBLES.shared) ||
        likeness >= RESEMBLES.likeness),
  );
}

function numbersOf(anchors: Anchor[]): number[] {
  return anchors.map(({ event }) => event.eventNo);
}

interface AnchoredChain {
  eventNos: number[];
  anchor: number;
}

/** The way from the root through each anchor to the end; an anchor on a way that is told already adds none. */
function distinctChains(nos: number[], up: Edge[], down: Edge[]): AnchoredChain[] {
  const told = new Set<number>();
  const chains: AnchoredChain[] = [];
  for (const anchor of nos) {
    if (told.has(anchor)) continue;
    const eventNos = [...chainToRoot(up, anchor).eventNos, ...chainToEnd(down, anchor).eventNos.slice(1)];
    for (const no of eventNos) told.add(no);
    chains.push({ eventNos, anchor });
    if (chains.length >= MOST_STORIES) break;
  }
  return chains;
}

function storyOf(
  eventNos: number[],
  anchor: number,
  against: Edge[],
  { nodes, links }: CausalGraph,
): Story & { anchor: number } {
  const nodeOf = new Map(nodes.map((node) => [node.eventNo, node]));
  const linkBetween = (cause: CausalEventRecord, effect: CausalEventRecord) =>
    links.find((link) => link.causeId === cause.eventId && link.effectId === effect.eventId);
  const events = eventNos.flatMap((no) => nodeOf.get(no) ?? []);
  // What was removed since it was asked for breaks the chain: the part with the anchor is told.
  const pieces: { events: CausalEventRecord[]; links: CausalLinkRecord[] }[] = [];
  for (const event of events) {
    const piece = pieces.at(-1);
    const last = piece?.events.at(-1);
    const link = last && linkBetween(last, event);
    if (piece && link) {
      piece.events.push(event);
      piece.links.push(link);
    } else pieces.push({ events: [event], links: [] });
  }
  const piece = pieces.find((part) => part.events.some(({ eventNo }) => eventNo === anchor));
  const counters = against.flatMap(({ cause, effect }) => {
    const [event, target] = [nodeOf.get(cause), nodeOf.get(effect)];
    const link = event && target && linkBetween(event, target);
    const inStory = piece?.events.some(({ eventNo }) => eventNo === effect) === true;
    return link && inStory ? [{ event, link, against: target }] : [];
  });
  return { events: piece?.events ?? [], links: piece?.links ?? [], counters, anchor };
}

/** Around the anchor, `reach` events to either side. */
function shortened(story: Story & { anchor: number }, reach: number): Story {
  const at = story.events.findIndex(({ eventNo }) => eventNo === story.anchor);
  const from = Math.max(0, at - reach);
  const events = story.events.slice(from, at + reach + 1);
  const kept = new Set(events.map(({ eventNo }) => eventNo));
  return {
    events,
    links: story.links.slice(from, from + events.length - 1),
    counters: story.counters.filter(({ against }) => kept.has(against.eventNo)),
  };
}

/** As many stories as there is room for; a long one is told around its anchor rather than not at all. */
function compose(
  stories: (Story & { anchor: number })[],
  anchors: Anchor[],
  maxTokens: number,
): CausalNarrative {
  const lines: string[] = [];
  const events = new Map<string, CausalEventRecord>();
  const links = new Map<string, CausalLinkRecord>();
  const chains: CausalChain[] = [];
  for (const story of stories) {
    const forms = story.events.length <= TOLD_WHOLE ? [story] : [];
    for (const form of [...forms, shortened(story, 3), shortened(story, 1), shortened(story, 0)]) {
      const line = tell(form);
      if (line === '' || countTokens([...lines, line].join('\n')) > maxTokens) continue;
      lines.push(line);
      chains.push({
        eventIds: form.events.map(({ eventId }) => eventId),
        linkIds: form.links.map(({ linkId }) => linkId),
        confidence: form.links.reduce((product, link) => product * link.confidence, 1),
      });
      for (const event of [...form.events, ...form.counters.map((counter) => counter.event)])
        events.set(event.eventId, event);
      for (const link of [...form.links, ...form.counters.map((counter) => counter.link)])
        links.set(link.linkId, link);
      break;
    }
  }
  const text = lines.join('\n');
  const scores = anchors
    .filter(({ event }) => events.has(event.eventId))
    .map(({ event, score }) => [event.eventId, Math.round(score * 1000) / 1000] as const);
  return {
    text,
    events: [...events.values()].sort(byTime),
    links: [...links.values()],
    chains,
    scores: Object.fromEntries(scores),
    tokenCount: countTokens(text),
  };
}
