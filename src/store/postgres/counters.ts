import type { Queries } from './queries.ts';

type Counter =
  | 'sessions'
  | 'conversations'
  | 'turns'
  | 'pings'
  // Kept by triggers (0004-causal.sql), so that an erased session is counted out by its cascade.
  | 'causal_events'
  | 'causal_links'
  | 'causal_changes';

/** Adds to one of the counters of the whole record. */
export async function addToCounter(db: Queries, name: Counter, amount: number): Promise<void> {
  if (amount !== 0) await db.run('SELECT add_to_counter($1, $2)', name, amount);
}

export async function readCounters(db: Queries): Promise<Record<Counter, number>> {
  const rows = await db.all<{ name: Counter; value: number }>(
    'SELECT name, sum(value)::bigint AS value FROM record_counters GROUP BY name',
  );
  const counted = new Map(rows.map(({ name, value }) => [name, value]));
  const of = (name: Counter) => counted.get(name) ?? 0;
  return {
    sessions: of('sessions'),
    conversations: of('conversations'),
    turns: of('turns'),
    pings: of('pings'),
    causal_events: of('causal_events'),
    causal_links: of('causal_links'),
    causal_changes: of('causal_changes'),
  };
}
