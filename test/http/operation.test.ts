import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { errorOf, listen, startApp } from './support.ts';
import { ANALYSER_VERSION } from '../../src/text/analyse.ts';

/** The HTTP side on a real record; causal memory only says what it is told to. */
async function withRecord(
  status: () => Promise<object> = () => Promise.resolve({ available: true, reason: null, lag: 3 }),
) {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-operation-'));
  const dal = await openSqliteStore({ file: join(folder, 'record.db'), threads: false });
  onTestFinished(async () => {
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const memory = createMemoryService({ dal });
  const upstreamUrl = `${await listen((_req, res) => res.end('{"data":[]}'))}/v1`;
  const causal = { status, lag: () => Promise.resolve(3) } as never;
  const app = await startApp({ upstreamUrl, parts: { dal, memory, causal } });
  const get = async (path: string) => {
    const response = await fetch(app.url + path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown>, response };
  };
  return { ...app, dal, memory, get, upstreamUrl };
}

describe('GET /health', () => {
  it('says who answers, and how memory is', async () => {
    const { get, upstreamUrl } = await withRecord();
    const { status, body, response } = await get('/health');
    expect(status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      status: 'ok',
      version: '0.0.0-test',
      stage: 2,
      provider: { name: 'openai', base_url: upstreamUrl, model: 'gpt-4o-mini', circuit: 'closed' },
      memory: { status: 'ok' },
      causal: { available: true, reason: null, lag: 3 },
      embeddings: { state: 'off' },
    });
  });

  it('stays alive as the plain proxy when the record is gone, and says so', async () => {
    const { get, dal } = await withRecord();
    await dal.close();
    const { status, body } = await get('/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', stage: 1, memory: { status: 'failing' } });
    expect((await get('/v1/models')).body).toEqual({ data: [] });
  });

  it('does not hang with a part that hangs', async () => {
    const { get } = await withRecord(() => new Promise(() => undefined));
    const { body } = await get('/health');
    expect(body['causal']).toMatchObject({ available: false });
  });
});

describe('GET /health/ready', () => {
  it('is ready when the record can really be written', async () => {
    const { get } = await withRecord();
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  it('is not ready when it cannot', async () => {
    const { url, dal } = await withRecord();
    await dal.close();
    const response = await fetch(`${url}/health/ready`);
    expect(response.status).toBe(503);
    expect(errorOf(await response.text()).code).toBe('storage_failed');
  });

  it('is not ready while the server stops, when all but /health is refused', async () => {
    const { url, state } = await withRecord();
    state.drain();
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(errorOf(await ready.text()).code).toBe('shutting_down');
    const other = await fetch(`${url}/v1/models`);
    expect(other.status).toBe(503);
    expect(other.headers.get('connection')).toBe('close');
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'draining' });
  });
});

describe('GET /api/v2/status', () => {
  it('counts what is there, and tells jobs, cycles and the lag of causal memory', async () => {
    const { get, memory, dal } = await withRecord();
    const { session } = await memory.createSession({});
    await memory.createConversation({ sessionId: session.sessionId, directive: 'Hello' });
    const job = { kind: 'tidy', dedupeKey: 'x', payload: {}, runAt: 0 };
    await dal.jobs.enqueue(session.sessionId, [job], 0);
    const { status, body } = await get('/api/v2/status');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      version: '0.0.0-test',
      draining: false,
      counts: { sessions: 1, conversations: 1, turns: 1 },
      causal_memory: { available: true, reason: null },
      projection_lag: 3,
      reindex: { analyser_version: ANALYSER_VERSION, sessions: 0, turns: 0 },
      cycles: {},
    });
    expect(body['jobs']).toContainEqual({ kind: 'tidy', state: 'ready', count: 1 });
    expect(body['started_at']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(body['uptime_seconds']).toBeGreaterThanOrEqual(0);
  });
});

describe('GET /metrics', () => {
  it('has requests by route and status, and the record, and neither ids nor secrets', async () => {
    const { url, memory } = await withRecord();
    const { session } = await memory.createSession({});
    await fetch(`${url}/v1/models/secret-model?key=secret`);
    await fetch(`${url}/v2/sessions/${session.sessionId}/models`);
    await fetch(`${url}/secret-path`);
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await response.text();
    expect(text).toContain('ccc_http_requests_total{method="GET",route="/v1/models/:id",status="200"} 1');
    expect(text).toContain(
      'ccc_http_requests_total{method="GET",route="/v2/sessions/:sessionId/models",status="200"} 1',
    );
    expect(text).toContain('ccc_http_requests_total{method="GET",route="other",status="404"} 1');
    expect(text).toMatch(/ccc_http_request_duration_seconds_bucket\{le="0.005",route="\/v1\/models\/:id"\}/);
    expect(text).toContain('ccc_record_rows{what="sessions"} 1');
    expect(text).toContain('ccc_causal_projection_lag 3');
    expect(text).not.toMatch(/secret|sess_/);
  });

  it('is there when the record is not', async () => {
    const { url, dal } = await withRecord();
    await dal.close();
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('ccc_http_requests_total');
  });
});
