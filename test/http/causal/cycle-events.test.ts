import { describe, expect, it, onTestFinished } from 'vitest';
import { buildApp } from '../../../src/app.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { buildParts } from '../../../src/build-parts.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { createHttpServer } from '../../../src/http/http-server.ts';
import { completion, role, startUpstream, streamed } from '../../support/upstream.ts';
import { temporaryFolder } from '../../causal/support.ts';
import { APPROVE, REVISE } from '../cycles/support.ts';

/** The server with all its parts and its background work, on a port of its own. */
async function startWhole(upstreamUrl: string) {
  const { settings } = loadSettings({
    OPENAI_BASE_URL: upstreamUrl,
    OPENAI_API_KEY: 'sk-test',
    CCC_DATA_DIR: temporaryFolder(),
    // What memory notes besides is not asked of the upstream here.
    CCC_FACTS: 'off',
  });
  const parts = await buildParts(settings, silentLogger);
  const server = createHttpServer(buildApp(parts));
  const port = await server.listen('127.0.0.1', 0);
  parts.start();
  onTestFinished(async () => {
    await server.stop(0);
    await parts.settle(1_000);
    await parts.close();
  });
  return async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${String(port)}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
    return (await response.json()) as any;
  };
}

describe('a supervised cycle over HTTP', () => {
  it('leaves behind why a draft was rejected and the revision that fixed it, linked', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    upstream
      .on(role('causal'), completion({ content: '{"events": []}' }))
      .expect(role('guidance'), streamed(['Two, no more.']))
      .expect(role('draft'), streamed(['The Rhine.']))
      .expect(role('verdict'), streamed([REVISE]))
      .expect(role('draft'), streamed(['The Rhine and the Rhône.']))
      .expect(role('verdict'), streamed([APPROVE]));
    const call = await startWhole(upstream.baseUrl);
    const { session_id: id } = await call('POST', '/api/v2/sessions', {});
    const answer = await call('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: id,
      covenant: { mode: 'cycle' },
      messages: [{ role: 'user', content: 'Name two rivers.' }],
    });
    expect(answer.choices[0].message.content).toBe('The Rhine and the Rhône.');

    const graph = () => call('GET', `/api/v2/sessions/${String(id)}/causal/graph`);
    await expect.poll(async () => (await graph()).nodes, { timeout: 15_000 }).toHaveLength(2);
    const { nodes, links } = await graph();
    const [rejected, fixed] = nodes;
    expect(rejected).toMatchObject({
      actor: 'beatrice',
      recorded_by: 'rule',
      text: 'Draft 1 for “Name two rivers.” was sent back: Name a second river',
    });
    expect(fixed).toMatchObject({
      actor: 'codey',
      recorded_by: 'rule',
      text: 'Draft 2 for “Name two rivers.” was approved after it put right: Name a second river',
    });
    expect(links).toMatchObject([
      { cause_id: rejected.event_id, effect_id: fixed.event_id, relation: 'caused', judged_by: 'rule' },
    ]);
    // Each comes from the turn that tells it.
    const { turns } = await call('GET', `/api/v2/conversations/${String(rejected.conversation_id)}`);
    const kindOf = (turnId: string) =>
      turns.find((turn: { turn_id: string }) => turn.turn_id === turnId)?.kind as unknown;
    expect([kindOf(rejected.source_turn_id), kindOf(fixed.source_turn_id)]).toEqual(['verdict', 'answer']);

    const why = `/api/v2/sessions/${String(id)}/causal/events/${String(fixed.event_id)}/why`;
    expect((await call('GET', why)).chain.event_ids).toEqual([rejected.event_id, fixed.event_id]);
    const query = encodeURIComponent('Why was the draft about rivers sent back?');
    const told = await call('GET', `/api/v2/sessions/${String(id)}/causal?query=${query}`);
    expect(told.narrative).toContain('Name a second river');
    upstream.assertComplete();
  });
});
