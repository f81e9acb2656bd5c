import type { CausalChanges } from '../causal-store.ts';
import { packChanges, type ChangeRow } from '../rows/causal-changes.ts';
import type { Queries } from './queries.ts';

/** The changes of a session after a watermark. */
export async function readChanges(
  db: Queries,
  sessionId: string,
  after: number,
  limit: number,
): Promise<CausalChanges> {
  const watermark =
    (await db.value<number>('SELECT change_seq FROM causal_heads WHERE session_id = $1', sessionId)) ?? 0;
  const rows = async (select: string): Promise<ChangeRow[]> => {
    const found = await db.all<Record<string, number | string | null>>(
      `${select} WHERE session_id = $1 AND change_seq > $2 ORDER BY change_seq LIMIT $3`,
      sessionId,
      after,
      limit,
    );
    // Columns come in the order in which they were asked for.
    return found.map((row) => Object.values(row));
  };
  return packChanges({
    events: await rows('SELECT change_seq, event_no, happened_at FROM causal_events'),
    links: await rows(
      'SELECT change_seq, cause_no, effect_no, relation, confidence, judged_by FROM causal_links',
    ),
    removals: await rows('SELECT change_seq, cause_no, effect_no FROM causal_removals'),
    watermark,
    limit,
  });
}
