import { describe, expect, it } from 'vitest';
import { startMemoryApi } from './support.ts';

const sources = { text: 'Say where a figure comes from.', trigger: 'figures in reports' };

async function start() {
  const { call, newSession } = await startMemoryApi();
  const { session_id: id } = await newSession();
  return { call, id, path: `/api/v2/sessions/${id}/agents/codey/lessons` };
}

describe('lessons over HTTP', () => {
  it('are given by the person, each to the agent that is to keep it in mind', async () => {
    const { call, id, path } = await start();
    expect((await call('GET', path)).body).toEqual({ session_id: id, agent: 'codey', lessons: [] });
    const added = await call('POST', path, sources);
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      ...sources,
      agent: 'codey',
      status: 'active',
      author: 'person',
      pinned: false,
      evidence: [],
      effect: { with: { trials: 0, approved: 0 }, without: { trials: 0, approved: 0 }, helps: 0.5 },
      version: 1,
    });
    expect((await call('GET', path)).body.lessons).toEqual([added.body]);
    expect((await call('GET', path.replace('codey', 'beatrice'))).body.lessons).toEqual([]);
    const again = await call('POST', path, { text: 'say where a figure  comes from' });
    expect(again.body.lesson_id).toBe(added.body.lesson_id);
  });

  it('stand in the analytics of their session with what they are worth', async () => {
    const { call, id, path } = await start();
    const { lesson_id: lessonId } = (await call('POST', path, sources)).body;
    const { body } = await call('GET', `/api/v2/sessions/${id}/analytics`);
    expect(body.lessons).toEqual([
      {
        lesson_id: lessonId,
        agent: 'codey',
        text: sources.text,
        status: 'active',
        pinned: false,
        effect: { with: { trials: 0, approved: 0 }, without: { trials: 0, approved: 0 }, helps: 0.5 },
      },
    ]);
  });

  it('are changed, with what they were, and never over a newer version', async () => {
    const { call, path } = await start();
    const { lesson_id: lessonId } = (await call('POST', path, sources)).body;
    const one = `${path}/${String(lessonId)}`;
    const changed = await call('PATCH', one, { text: 'Name the source of a figure.', expected_version: 1 });
    expect(changed.body).toMatchObject({ text: 'Name the source of a figure.', trigger: sources.trigger });
    expect((await call('PATCH', one, { status: 'retired' })).body.status).toBe('retired');
    const { body } = await call('GET', `${one}/history`);
    expect(body).toMatchObject({ lesson_id: lessonId, status: 'retired', version: 3 });
    expect(body.versions).toMatchObject([
      { version: 2, status: 'active', text: 'Name the source of a figure.' },
      { version: 1, status: 'active', text: sources.text },
    ]);
    const late = await call('PATCH', one, { pinned: true, expected_version: 1 });
    expect(late).toMatchObject({ status: 409, body: { error: { code: 'version_conflict' } } });
    expect((await call('PATCH', one, {})).status).toBe(400);
  });

  it('are deleted with all that they have said', async () => {
    const { call, path } = await start();
    const { lesson_id: lessonId } = (await call('POST', path, sources)).body;
    const one = `${path}/${String(lessonId)}`;
    expect((await call('DELETE', one.replace('codey', 'beatrice'))).body.error.code).toBe('lesson_not_found');
    expect((await call('DELETE', one)).status).toBe(204);
    expect((await call('GET', path)).body.lessons).toEqual([]);
    for (const [method, at, body] of [
      ['DELETE', one, undefined],
      ['PATCH', one, { pinned: true }],
      ['GET', `${one}/history`, undefined],
    ] as const) {
      expect((await call(method, at, body)).body.error.code).toBe('lesson_not_found');
    }
  });

  it('come with the context of a directive that they bear on, the pinned ones with every other too', async () => {
    const { call, id, path } = await start();
    await call('POST', path, sources);
    await call('POST', path, { text: 'Answer in plain words.', pinned: true });
    const chosen = async (directive: string, more = '') => {
      const query = `directive=${encodeURIComponent(directive)}${more}`;
      const { body } = await call('GET', `/api/v2/sessions/${id}/context?${query}`);
      return body.lessons.map((lesson: { text: string; source: string }) => [lesson.text, lesson.source]);
    };
    const pinned = ['Answer in plain words.', 'pinned'];
    expect(await chosen('Write the report with all figures of May.')).toEqual([
      pinned,
      [sources.text, 'relevant'],
    ]);
    expect(await chosen('Which river flows through Lyon?')).toEqual([pinned]);
    expect(await chosen('Write the report with all figures.', '&include_agent_state=false')).toEqual([]);
  });

  it('are refused to those who do not learn, and without words', async () => {
    const { call, path } = await start();
    for (const who of ['wykeve', 'nobody']) {
      const stranger = await call('GET', path.replace('codey', who));
      expect([stranger.status, stranger.body.error.param]).toEqual([400, 'agent']);
    }
    expect((await call('POST', path, { text: '  ' })).body.error.param).toBe('text');
    expect((await call('PUT', path, sources)).status).toBe(405);
  });
});
