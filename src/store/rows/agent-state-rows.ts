import { fromJson } from '../json-column.ts';
import type { Agent, AgentStateRecord } from '../records.ts';

export interface AgentStateRow {
  session_id: string;
  agent: Agent;
  version: number;
  state: string;
  updated_at: number;
}

export function agentStateFromRow(row: AgentStateRow): AgentStateRecord {
  return {
    sessionId: row.session_id,
    agent: row.agent,
    version: row.version,
    state: fromJson(row.state),
    updatedAt: row.updated_at,
  };
}
