import { longestToRoot, type Chain } from '../graph/best-chain.ts';
import { ancestorEdges } from '../graph/edges.ts';
import type { DuckReader } from '../projection/duckdb.ts';
import { within, type Scope } from './cycle-figures.ts';

/** Root causes and chains that are listed. */
const MOST_ROOTS = 10;
const MOST_CHAINS = 5;
/**
 * How long each of the two walks over the whole graph may take, in milliseconds: nothing else is asked of the projection
 * meanwhile.
 */
export const WALK_LIMIT_MS = 1_500;

/** How often it is seen whether the time is over, in milliseconds. */
const INTERRUPT_EVERY_MS = 5;

export interface FoundRoot {
  sessionKey: number;
  eventNo: number;
  effects: number;
  directEffects: number;
}

export interface FoundCauses {
  roots: FoundRoot[];
  chains: { sessionKey: number; chain: Chain }[];
  truncated: boolean;
}

/** Roots lead to something, and nothing leads to them. `s` holds the causing links. */
const ROOTS = (scope: Scope) => `s AS MATERIALIZED (
    SELECT session_key AS k, cause_no AS c, effect_no AS e FROM links WHERE ${within(scope)} AND relation <= 1),
  roots AS MATERIALIZED (
    SELECT k, c, count(*) AS direct FROM s
     WHERE NOT EXISTS (SELECT 1 FROM s AS before WHERE before.k = s.k AND before.e = s.c) GROUP BY k, c)`;

/** All that the graph says of where things begin and how far they go, or less when that would take too long. */
export async function findCauses(
  duck: DuckReader,
  scope: Scope,
  walkLimitMs = WALK_LIMIT_MS,
): Promise<FoundCauses> {
  const roots = await inTime(duck, walkLimitMs, () =>
    duck.rows(
      `WITH RECURSIVE ${ROOTS(scope)},
         reach(k, root, no) AS (
           SELECT k, c, c FROM roots
           UNION
           SELECT r.k, r.root, s.e FROM reach r JOIN s ON s.k = r.k AND s.c = r.no)
       SELECT k, root, count(*) - 1 AS effects, any_value(direct) FROM reach JOIN roots USING (k)
        WHERE roots.c = reach.root GROUP BY k, root ORDER BY effects DESC, k, root LIMIT ${String(MOST_ROOTS)}`,
    ),
  );
  const ends =
    roots &&
    (await inTime(duck, walkLimitMs, () =>
      duck.rows(
        `WITH RECURSIVE ${ROOTS(scope)},
           deep(k, no, depth) AS (
             SELECT k, c, 0 FROM roots
             UNION
             SELECT d.k, s.e, d.depth + 1 FROM deep d JOIN s ON s.k = d.k AND s.c = d.no)
         SELECT k, no, max(depth) AS depth FROM deep
          WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.k = deep.k AND s.c = deep.no)
          GROUP BY k, no ORDER BY depth DESC, k, no LIMIT ${String(MOST_CHAINS)}`,
      ),
    ));
  if (!roots || !ends) return { roots: await directRoots(duck, scope), chains: [], truncated: true };
  const chains: FoundCauses['chains'] = [];
  for (const [key, no] of ends) {
    const [sessionKey, eventNo] = [Number(key), Number(no)];
    chains.push({
      sessionKey,
      chain: longestToRoot(await ancestorEdges(duck, sessionKey, [eventNo]), eventNo),
    });
  }
  return { roots: roots.map(foundRoot), chains, truncated: false };
}

async function directRoots(duck: DuckReader, scope: Scope): Promise<FoundRoot[]> {
  const rows = await duck.rows(
    `WITH ${ROOTS(scope)} SELECT k, c, direct, direct FROM roots ORDER BY direct DESC, k, c LIMIT ${String(MOST_ROOTS)}`,
  );
  return rows.map(foundRoot);
}

function foundRoot([key, no, effects, direct]: (number | string | null)[]): FoundRoot {
  return {
    sessionKey: Number(key),
    eventNo: Number(no),
    effects: Number(effects),
    directEffects: Number(direct),
  };
}

/** Null when it takes too long or more memory than the projection may have: both are no fault of the database. */
async function inTime<T>(duck: DuckReader, limitMs: number, work: () => Promise<T>): Promise<T | null> {
  const until = performance.now() + limitMs;
  const late = () => performance.now() >= until;
  // Again and again: an interruption that comes before a question has really begun is lost.
  const timer = setInterval(() => {
    if (late()) duck.interrupt();
  }, INTERRUPT_EVERY_MS);
  try {
    return await work();
  } catch (error) {
    if (late() || /out of memory/i.test(error instanceof Error ? error.message : '')) return null;
    throw error;
  } finally {
    clearInterval(timer);
  }
}
