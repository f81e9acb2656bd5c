import type { CycleLeaseStore } from '../shared-record.ts';
import type { PostgresModule } from './postgres-module.ts';

const UNTIL = `clock_timestamp() + $4::double precision * interval '1 millisecond'`;

export const cycleLeasesModule: PostgresModule<CycleLeaseStore> = {
  writes: ['take', 'renew', 'release'],
  create: (db) => ({
    async take({ sessionId, cycleId, runner, leaseMs }) {
      // The cycle's row decides who comes first.
      const cycle = await db.get(
        'SELECT 1 FROM cycles WHERE session_id = $1 AND cycle_id = $2 FOR NO KEY UPDATE',
        sessionId,
        cycleId,
      );
      if (!cycle) return false;
      const held = await db.get<{ runner: string; in_force: boolean }>(
        `SELECT runner, held_until > clock_timestamp() AS in_force FROM cycle_leases
          WHERE session_id = $1 AND cycle_id = $2`,
        sessionId,
        cycleId,
      );
      if (held?.in_force === true && held.runner !== runner) return false;
      await db.run(
        `INSERT INTO cycle_leases (session_id, cycle_id, runner, held_until) VALUES ($1, $2, $3, ${UNTIL})
         ON CONFLICT (session_id, cycle_id) DO UPDATE SET runner = excluded.runner, held_until = excluded.held_until`,
        sessionId,
        cycleId,
        runner,
        leaseMs,
      );
      // Whoever had it may only be slow: from now on it can write nothing into the cycle.
      if (held && held.runner !== runner) {
        await db.run(
          'UPDATE cycles SET version = version + 1 WHERE session_id = $1 AND cycle_id = $2',
          sessionId,
          cycleId,
        );
      }
      return true;
    },
    renew: async ({ runner, cycleIds, leaseMs }) => {
      const rows = await db.all<{ cycle_id: string }>(
        `UPDATE cycle_leases SET held_until = clock_timestamp() + $3::double precision * interval '1 millisecond'
          WHERE runner = $1 AND cycle_id = ANY($2::text[]) RETURNING cycle_id`,
        runner,
        cycleIds,
        leaseMs,
      );
      return rows.map((row) => row.cycle_id);
    },
    release: async ({ sessionId, cycleId, runner }) => {
      await db.run(
        'DELETE FROM cycle_leases WHERE session_id = $1 AND cycle_id = $2 AND runner = $3',
        sessionId,
        cycleId,
        runner,
      );
    },
    orphans: async ({ leaseMs, limit }) => {
      const rows = await db.all<{ cycle_id: string }>(
        `SELECT c.cycle_id FROM cycles c
          WHERE c.outcome IS NULL
            AND c.updated_at < extract(epoch FROM clock_timestamp()) * 1000 - $1::double precision
            AND NOT EXISTS (SELECT 1 FROM cycle_leases l
              WHERE l.session_id = c.session_id AND l.cycle_id = c.cycle_id AND l.held_until > clock_timestamp())
          ORDER BY c.updated_at LIMIT $2`,
        leaseMs,
        limit,
      );
      return rows.map((row) => row.cycle_id);
    },
  }),
};
