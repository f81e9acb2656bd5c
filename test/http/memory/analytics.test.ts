import { beforeEach, describe, expect, it } from 'vitest';
import { createCausalMemory, type CausalMemory } from '../../../src/causal/create-causal-memory.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { openMemory } from '../../causal/support.ts';
import { startApp } from '../support.ts';

describe('analytics over HTTP', () => {
  let url: string;
  let causal: CausalMemory;
  let session: { id: string; token: string };
  beforeEach(async () => {
    const { dal } = await openMemory();
    causal = createCausalMemory({ store: dal.causal, activity: dal.activity, projectionFile: null });
    const memory = createMemoryService({ dal, causal });
    ({ url } = await startApp({ parts: { dal, memory, causal } }));
    const made = await memory.createSession({});
    session = { id: made.session.sessionId, token: made.token };
    const [rain, leak] = await causal.addEvents(session.id, [
      { text: 'it rained', happenedAt: 1 },
      { text: 'the roof leaked', happenedAt: 2 },
    ]);
    await causal.addLinks(session.id, [
      { causeId: rain!.eventId, effectId: leak!.eventId, relation: 'caused', confidence: 0.5 },
    ]);
    return () => causal.close();
  });

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { headers });
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
    return { status: response.status, body: (await response.json()) as any };
  };

  it('of a session: the counts, and what the projection figures out', async () => {
    const { status, body } = await get(`/api/v2/sessions/${session.id}/analytics`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      session_id: session.id,
      causal: { events: 2, links: 1 },
      cycles: {},
      cycle_figures: { total: 0, by_outcome: [], by_outcome_and_rounds: [], by_day: [] },
      tokens: { by_agent: [], by_day: [] },
      lessons: [],
    });
    expect(body.causes).toMatchObject({
      root_causes: [{ session_id: session.id, event: { text: 'it rained' }, effects: 1, direct_effects: 1 }],
      longest_chains: [{ session_id: session.id, length: 2, confidence: 0.5 }],
      truncated: false,
    });
  });

  it('overall: for whoever runs the server, not for a session token', async () => {
    const overall = await get('/api/v2/analytics');
    expect(overall.status).toBe(200);
    expect(overall.body).toMatchObject({ sessions: 1, turns: 0, cycle_figures: { total: 0 } });
    expect(overall.body.causes.root_causes).toHaveLength(1);
    expect(overall.body.lessons).toEqual([]);
    const own = { authorization: `Bearer ${session.token}` };
    const refused = await get('/api/v2/analytics', own);
    expect([refused.status, refused.body.error.code]).toEqual([401, 'invalid_token']);
    expect((await get(`/api/v2/sessions/${session.id}/analytics`, own)).status).toBe(200);
  });

  it('without its projection a session is still counted', async () => {
    await causal.close();
    const { status, body } = await get(`/api/v2/sessions/${session.id}/analytics`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ causal: { events: 2 }, causes: null, cycle_figures: null, tokens: null });
    expect((await get('/api/v2/sessions/sess_none/analytics')).status).toBe(404);
  });
});
