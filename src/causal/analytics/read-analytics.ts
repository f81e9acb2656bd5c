import type { CausalStore } from '../../store/causal-store.ts';
import type { Chain } from '../graph/best-chain.ts';
import { withRecords, type GraphDeps } from '../graph/explain.ts';
import type { Analytics, LongChain, RootCause } from './analytics.ts';
import { findCauses, type FoundCauses } from './cause-figures.ts';
import { cycleFigures, tokenFigures, type Scope } from './cycle-figures.ts';
import type { DuckReader } from '../projection/duckdb.ts';

export interface AnalyticsDeps extends GraphDeps {
  /** How long a walk over the whole graph may take, in milliseconds, where it is not the usual time. */
  walkLimitMs?: number;
}

/** The figures of one session, brought up to date before. @throws session_not_found */
export async function sessionAnalytics(deps: AnalyticsDeps, sessionId: string): Promise<Analytics> {
  const found = await deps.projection.askApart(sessionId, (duck, key) =>
    figures(duck, key, deps.walkLimitMs),
  );
  return withTexts(deps.store, found, () => Promise.resolve(sessionId));
}

/** The figures of all sessions together, brought up to date before. */
export async function overallAnalytics(deps: AnalyticsDeps): Promise<Analytics> {
  const found = await deps.projection.askApart(null, (duck) => figures(duck, null, deps.walkLimitMs));
  return withTexts(deps.store, found, async (sessionKey) => {
    const [head] = await deps.store.heads(sessionKey - 1, 1);
    return head?.sessionKey === sessionKey ? head.sessionId : null;
  });
}

type Found = Omit<Analytics, 'causes'> & { causes: FoundCauses };

async function figures(duck: DuckReader, scope: Scope, walkLimitMs: number | undefined): Promise<Found> {
  return {
    causes: await findCauses(duck, scope, walkLimitMs),
    cycles: await cycleFigures(duck, scope),
    tokens: await tokenFigures(duck, scope),
  };
}

/** The projection knows numbers; texts and ids come from the record. What is gone since is left out. */
async function withTexts(
  store: CausalStore,
  { causes, cycles, tokens }: Found,
  sessionOf: (sessionKey: number) => Promise<string | null>,
): Promise<Analytics> {
  const rootCauses: RootCause[] = [];
  for (const { sessionKey, eventNo, effects, directEffects } of causes.roots) {
    const sessionId = await sessionOf(sessionKey);
    const { nodes } = sessionId === null ? { nodes: [] } : await withRecords(store, sessionId, [eventNo]);
    rootCauses.push(...nodes.map((event) => ({ event, effects, directEffects })));
  }
  const longestChains: LongChain[] = [];
  for (const { sessionKey, chain } of causes.chains) {
    const sessionId = await sessionOf(sessionKey);
    if (sessionId !== null) longestChains.push(await toldChain(store, sessionId, chain));
  }
  return { causes: { rootCauses, longestChains, truncated: causes.truncated }, cycles, tokens };
}

async function toldChain(store: CausalStore, sessionId: string, chain: Chain): Promise<LongChain> {
  const { nodes, links } = await withRecords(store, sessionId, chain.eventNos);
  const byNo = new Map(nodes.map((event) => [event.eventNo, event]));
  const events = chain.eventNos.flatMap((no) => byNo.get(no) ?? []);
  const path = chain.links.flatMap(({ cause, effect }) => {
    const [from, to] = [byNo.get(cause)?.eventId, byNo.get(effect)?.eventId];
    return links.find((link) => link.causeId === from && link.effectId === to) ?? [];
  });
  return { sessionId, events, links: path, confidence: chain.confidence };
}
