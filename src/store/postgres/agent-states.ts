import { toJson } from '../json-column.ts';
import type { AgentStateStore } from '../memory-dal.ts';
import { agentStateFromRow, type AgentStateRow } from '../rows/agent-state-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import { lockSession } from './session-lock.ts';

export const agentStatesModule: PostgresModule<AgentStateStore> = {
  writes: ['put'],
  create: (db) => ({
    async get(sessionId, agent) {
      const row = await db.get<AgentStateRow>(
        'SELECT * FROM agent_states WHERE session_id = $1 AND agent = $2',
        sessionId,
        agent,
      );
      return row ? agentStateFromRow(row) : null;
    },
    async list(sessionId) {
      const rows = await db.all<AgentStateRow>(
        'SELECT * FROM agent_states WHERE session_id = $1 ORDER BY agent',
        sessionId,
      );
      return rows.map(agentStateFromRow);
    },
    async put({ sessionId, agent, expectedVersion, state, now }) {
      await lockSession(db, sessionId);
      // One statement each way: whoever names a version that is no longer the newest changes nothing.
      const row =
        expectedVersion === 0
          ? await db.get<AgentStateRow>(
              `INSERT INTO agent_states (session_id, agent, version, state, updated_at)
               VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING RETURNING *`,
              sessionId,
              agent,
              toJson(state),
              now,
            )
          : await db.get<AgentStateRow>(
              `UPDATE agent_states SET version = version + 1, state = $3, updated_at = $4
                WHERE session_id = $1 AND agent = $2 AND version = $5 RETURNING *`,
              sessionId,
              agent,
              toJson(state),
              now,
              expectedVersion,
            );
      return row ? agentStateFromRow(row) : null;
    },
  }),
};
