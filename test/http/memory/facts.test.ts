import { describe, expect, it } from 'vitest';
import { startMemoryApi } from './support.ts';

const home = (value: string, more: object = {}) => ({
  subject: 'me',
  attribute: 'home',
  value,
  ...more,
});

describe('facts over HTTP', () => {
  it('are added, listed, with their history, and looked at one by one', async () => {
    const { call, newSession } = await startMemoryApi();
    const { session_id: id } = await newSession();
    const facts = `/api/v2/sessions/${id}/facts`;
    const paris = await call('POST', facts, home('Paris', { valid_from: '2024-01-01T00:00:00Z' }));
    expect(paris.status).toBe(201);
    expect(paris.body).toMatchObject({
      subject: 'the person',
      value: 'Paris',
      text: 'the person, home: Paris',
      author: 'person',
      valid_from: '2024-01-01T00:00:00.000Z',
      valid_until: null,
      exclusive: true,
      pinned: false,
      version: 1,
    });
    const lyon = await call('POST', facts, home('Lyon', { valid_from: '2024-06-01T00:00:00Z' }));
    const values = async (query: string) =>
      (await call('GET', facts + query)).body.data.map((fact: { value: string }) => fact.value) as string[];
    expect(await values('')).toEqual(['Lyon']);
    expect(await values('?history=true')).toEqual(['Lyon', 'Paris']);
    const first = await call('GET', `${facts}?history=true&limit=1`);
    expect(first.body.next_cursor).not.toBeNull();
    expect(await values(`?history=true&limit=1&cursor=${String(first.body.next_cursor)}`)).toEqual(['Paris']);
    expect((await call('GET', `${facts}/${String(paris.body.fact_id)}`)).body).toMatchObject({
      valid_until: '2024-06-01T00:00:00.000Z',
      superseded_by: lyon.body.fact_id,
      versions: [],
    });
  });

  it('are corrected, with what they said before, and never over a newer version', async () => {
    const { call, newSession } = await startMemoryApi();
    const { session_id: id } = await newSession();
    const facts = `/api/v2/sessions/${id}/facts`;
    const { body } = await call('POST', facts, home('Paris', { text: 'I live in Paris.' }));
    const path = `${facts}/${String(body.fact_id)}`;
    const corrected = await call('PATCH', path, { value: 'Nice', pinned: true, expected_version: 1 });
    expect(corrected.body).toMatchObject({
      value: 'Nice',
      text: 'the person, home: Nice',
      pinned: true,
      version: 2,
    });
    expect((await call('GET', path)).body.versions).toMatchObject([{ version: 1, value: 'Paris' }]);
    const late = await call('PATCH', path, { value: 'Rome', expected_version: 1 });
    expect(late).toMatchObject({ status: 409, body: { error: { code: 'version_conflict' } } });
    const ended = await call('PATCH', path, { valid_until: new Date(Date.now() + 1000).toISOString() });
    expect(ended.body.valid_until).not.toBeNull();
    expect((await call('PATCH', path, { valid_until: null })).body.valid_until).toBeNull();
  });

  it('corrections at the same time lose nothing', async () => {
    const { call, newSession } = await startMemoryApi();
    const { session_id: id } = await newSession();
    const { body } = await call('POST', `/api/v2/sessions/${id}/facts`, home('Paris'));
    const path = `/api/v2/sessions/${id}/facts/${String(body.fact_id)}`;
    const changes = [{ value: 'Nice' }, { attribute: 'home town' }, { pinned: true }, { exclusive: false }];
    const answers = await Promise.all(changes.map((change) => call('PATCH', path, change)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await call('GET', path)).body).toMatchObject({
      value: 'Nice',
      attribute: 'home town',
      pinned: true,
      exclusive: false,
    });
  });

  it('are forgotten for good', async () => {
    const { call, newSession } = await startMemoryApi();
    const { session_id: id } = await newSession();
    const facts = `/api/v2/sessions/${id}/facts`;
    const { body } = await call('POST', facts, home('Paris'));
    const path = `${facts}/${String(body.fact_id)}`;
    await call('PATCH', path, { value: 'Nice' });
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('DELETE', path)).body.error.code).toBe('fact_not_found');
    expect((await call('GET', `${facts}?history=true`)).body.data).toEqual([]);
  });

  it('travel with the session, and go with it', async () => {
    const { call, newSession } = await startMemoryApi();
    const { session_id: id } = await newSession();
    const facts = `/api/v2/sessions/${id}/facts`;
    await call('POST', facts, home('Paris', { pinned: true }));
    const { body } = await call('POST', facts, home('Lyon'));
    await call('PATCH', `${facts}/${String(body.fact_id)}`, { value: 'Limoges' });
    const before = (await call('GET', `${facts}?history=true`)).body;
    const question = `/api/v2/sessions/${id}/context?directive=Where%20is%20home`;
    const context = (await call('GET', question)).body;
    const lines = (await call('POST', `/api/v2/sessions/${id}/export`)).body as string;
    expect((await call('DELETE', `/api/v2/sessions/${id}`)).status).toBe(204);
    expect((await call('GET', facts)).status).toBe(404);
    const imported = await call('POST', '/api/v2/sessions/import', lines, {
      'content-type': 'application/x-ndjson',
    });
    expect(imported.status).toBe(201);
    expect((await call('GET', `${facts}?history=true`)).body).toEqual(before);
    expect((await call('GET', `${facts}/${String(body.fact_id)}`)).body.versions).toHaveLength(1);
    expect((await call('GET', question)).body).toEqual(context);
    expect((await call('POST', `/api/v2/sessions/${id}/export`)).body).toBe(lines);
  });

  it('say what is wrong with a request', async () => {
    const { call, newSession } = await startMemoryApi();
    const { session_id: id } = await newSession();
    const other = await newSession();
    const facts = `/api/v2/sessions/${id}/facts`;
    const param = async (method: string, path: string, body: unknown) =>
      (await call(method, path, body)).body.error.param as string | null;
    expect(await param('POST', facts, { subject: 'me', attribute: 'home' })).toBe('value');
    expect(await param('POST', facts, home('Paris', { nonsense: 1 }))).toBe('nonsense');
    expect(await param('POST', facts, home('x'.repeat(401)))).toBe('value');
    const { body } = await call('POST', facts, home('Paris'));
    const path = `${facts}/${String(body.fact_id)}`;
    expect(await param('PATCH', path, { valid_until: '2001-01-01T00:00:00Z' })).toBe('valid_until');
    expect((await call('PATCH', path, {})).status).toBe(400);
    expect((await call('GET', '/api/v2/sessions/sess_none/facts')).body.error.code).toBe('session_not_found');
    expect((await call('PUT', facts, {})).status).toBe(405);
    const stranger = { authorization: `Bearer ${other.token}` };
    expect((await call('GET', facts, undefined, stranger)).status).toBe(404);
    expect((await call('DELETE', path, undefined, stranger)).status).toBe(404);
  });
});
