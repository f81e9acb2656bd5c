import type { AgentStateStore } from '../memory-dal.ts';
import { prepared } from './connection.ts';
import { toJson } from '../json-column.ts';
import { agentStateFromRow, type AgentStateRow } from '../rows/agent-state-rows.ts';
import { requireSession } from './turn-rows.ts';
import type { StoreModule } from './store-module.ts';

export const agentStatesModule: StoreModule<AgentStateStore> = {
  writes: ['put'],
  create: (database) => ({
    get: (sessionId, agent) => {
      const row = prepared(database, 'SELECT * FROM agent_states WHERE session_id = ? AND agent = ?').get(
        sessionId,
        agent,
      ) as AgentStateRow | undefined;
      return row ? agentStateFromRow(row) : null;
    },
    list: (sessionId) =>
      (
        prepared(database, 'SELECT * FROM agent_states WHERE session_id = ? ORDER BY agent').all(
          sessionId,
        ) as AgentStateRow[]
      ).map(agentStateFromRow),
    put: ({ sessionId, agent, expectedVersion, state, now }) => {
      requireSession(database, sessionId);
      // One statement each way: whoever names a version that is no longer the newest changes nothing.
      const sql =
        expectedVersion === 0
          ? `INSERT INTO agent_states (session_id, agent, version, state, updated_at)
             VALUES (@sessionId, @agent, 1, @state, @now) ON CONFLICT DO NOTHING RETURNING *`
          : `UPDATE agent_states SET version = version + 1, state = @state, updated_at = @now
              WHERE session_id = @sessionId AND agent = @agent AND version = @expectedVersion RETURNING *`;
      const values = { sessionId, agent, state: toJson(state), now };
      const row = prepared(database, sql).get(
        expectedVersion === 0 ? values : { ...values, expectedVersion },
      ) as AgentStateRow | undefined;
      return row ? agentStateFromRow(row) : null;
    },
  }),
};
