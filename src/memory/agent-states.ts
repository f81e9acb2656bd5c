import { CccError } from '../base/ccc-error.ts';
import type { AgentStateRecord } from '../store/records.ts';
import type { MemoryDeps } from './deps.ts';
import type { MemoryService } from './memory-service.ts';
import { found } from './sessions.ts';

/** How often a write that names no version is tried when others write at the same time. */
const TRIES = 20;

export function agentStateMethods({
  dal,
  clock,
}: MemoryDeps): Pick<MemoryService, 'getAgentState' | 'putAgentState'> {
  const getAgentState: MemoryService['getAgentState'] = async (sessionId, agent) => {
    const session = found(await dal.sessions.get(sessionId));
    const state = await dal.agents.get(sessionId, agent);
    return state ?? { sessionId, agent, version: 0, state: {}, updatedAt: session.createdAt };
  };
  return {
    getAgentState,
    async putAgentState({ sessionId, agent, state, expectedVersion }): Promise<AgentStateRecord> {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const version = expectedVersion ?? (await getAgentState(sessionId, agent)).version;
        const put = await dal.agents.put({
          sessionId,
          agent,
          expectedVersion: version,
          state,
          now: clock.now(),
        });
        if (put) return put;
        if (expectedVersion !== undefined) break;
      }
      throw new CccError('version_conflict', undefined, { param: 'expected_version' });
    },
  };
}
