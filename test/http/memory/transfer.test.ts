import { request } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import { startMemoryApi } from './support.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('export and import over HTTP', () => {
  let [here, elsewhere] = [] as unknown as [Api, Api];
  type Api = Awaited<ReturnType<typeof startMemoryApi>>;
  beforeEach(async () => {
    [here, elsewhere] = [await startMemoryApi(), await startMemoryApi()];
  });

  async function exported(): Promise<{ id: string; text: string }> {
    const { session_id: id } = await here.newSession();
    const conversation = await here.newConversation(id, 'My sister Ana is allergic to peanuts.');
    const turns = Array.from({ length: 250 }, (_, at) => ({
      agent: 'wykeve',
      content: `Remark ${String(at)}: naïve 日本 🥜 \u2028 "quoted" \\ \u0000`,
      metadata: { at, nested: { half: 0.5 } },
    }));
    await here.call('POST', `/api/v2/conversations/${conversation}/turns`, { turns });
    await here.call('PUT', `/api/v2/sessions/${id}/context/summary`, { summary: 'About Ana.' });
    const { status, headers, body } = await here.call('POST', `/api/v2/sessions/${id}/export`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    return { id, text: body as string };
  }

  it('give on another server a session whose export is the same, byte for byte', async () => {
    const { id, text } = await exported();
    const imported = await elsewhere.call('POST', '/api/v2/sessions/import', text, NDJSON);
    expect([imported.status, imported.body]).toEqual([
      201,
      expect.objectContaining({
        session_id: id,
        total_turns: 251,
        token: expect.stringMatching(/^ccc_sess_/) as string,
      }),
    ]);
    expect((await elsewhere.call('POST', `/api/v2/sessions/${id}/export`)).body).toBe(text);
    const again = await elsewhere.call('POST', '/api/v2/sessions/import', text, NDJSON);
    expect([again.status, again.body.error.code]).toEqual([409, 'session_exists']);
    const bearer = { authorization: `Bearer ${String(imported.body.token)}` };
    expect((await elsewhere.call('GET', `/api/v2/sessions/${id}`, undefined, bearer)).status).toBe(200);
  });

  it('leave nothing of an import whose sender hangs up in the middle', async () => {
    const { id, text } = await exported();
    await new Promise<void>((resolve) => {
      const upload = request(`${elsewhere.url}/api/v2/sessions/import`, { method: 'POST', headers: NDJSON });
      upload.on('error', () => {
        resolve();
      });
      upload.write(text.slice(0, text.length - 1_000), () => {
        // Only after a first batch stands in the record may the wire be cut.
        setTimeout(() => upload.destroy(), 50);
      });
    });
    await expect
      .poll(async () => (await elsewhere.call('POST', '/api/v2/sessions/import', text, NDJSON)).status)
      .toBe(201);
    expect((await elsewhere.call('POST', `/api/v2/sessions/${id}/export`)).body).toBe(text);
  });

  it.each([
    ['JSON of another kind', '{"hello": "world"}\n', 400, 'invalid_request'],
    ['something that is not JSON', 'hello\n', 400, 'invalid_json'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]), 400, 'invalid_json'],
    ['nothing', '', 400, 'invalid_request'],
  ])('refuse %s, and say why', async (_name, body, status, code) => {
    const response = await fetch(`${elsewhere.url}/api/v2/sessions/import`, {
      method: 'POST',
      headers: NDJSON,
      body,
    });
    const answer = (await response.json()) as { error: { code: string } };
    expect([response.status, answer.error.code]).toEqual([status, code]);
  });

  it('refuse a line that never ends, before all of it has come', async () => {
    const response = await fetch(`${elsewhere.url}/api/v2/sessions/import`, {
      method: 'POST',
      headers: NDJSON,
      body: 'x'.repeat(45_000_000),
    });
    const answer = (await response.json()) as { error: { code: string } };
    expect([response.status, answer.error.code]).toEqual([413, 'payload_too_large']);
  });

  it('want their own media type', async () => {
    const answer = await elsewhere.call('POST', '/api/v2/sessions/import', {});
    expect([answer.status, answer.body.error.code]).toEqual([415, 'unsupported_media_type']);
  });
});
