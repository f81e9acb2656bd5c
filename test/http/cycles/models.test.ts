import { describe, expect, it } from 'vitest';
import { role, streamed } from '../../support/upstream.ts';
import { APPROVE, startServer } from './support.ts';

const messages = [{ role: 'user', content: 'Name two rivers.' }];

/** A server whose settings name a model for each agent, and what the upstream was asked with. */
async function serverWithModels(preferences: object = {}) {
  const server = await startServer(undefined, { models: { beatrice: 'set-b', codey: 'set-c' } });
  const { api, sessionId, upstream } = server;
  upstream
    .on(role('guidance'), streamed(['Two.']))
    .on(role('draft'), streamed(['The Rhine and the Rhône.']))
    .on(role('verdict'), streamed([APPROVE]));
  const put = await api.put(`/api/v2/sessions/${sessionId}/preferences`, { user_preferences: preferences });
  expect(put.status).toBe(200);
  const asked = () =>
    upstream.calls.splice(0).map(({ json }) => json as Record<string, unknown> & { model: string });
  const chat = async (covenant: object, more: object = {}) => {
    const body = { model: 'client', session_id: sessionId, messages, covenant, ...more };
    const answer = await api.post('/v2/chat/completions', body);
    return { answer, asked: asked() };
  };
  return { ...server, chat, asked };
}
const modelsOf = (asked: { model: string }[]) => asked.map(({ model }) => model);

describe('which model speaks for an agent', () => {
  it('is said by the server’s settings, whatever model the client names', async () => {
    const { chat } = await serverWithModels();
    expect(modelsOf((await chat({})).asked)).toEqual(['set-b', 'set-c', 'set-b']);
  });

  it('is said by the session before the settings, for one agent or both', async () => {
    const { chat } = await serverWithModels({ models: { codey: 'session-c' } });
    expect(modelsOf((await chat({})).asked)).toEqual(['set-b', 'session-c', 'set-b']);
  });

  it('is said by the request before the session, also for a cycle that is started by itself', async () => {
    const server = await serverWithModels({ models: { beatrice: 'session-b', codey: 'session-c' } });
    const models = { beatrice: 'asked-b' };
    expect(modelsOf((await server.chat({ models })).asked)).toEqual(['asked-b', 'session-c', 'asked-b']);
    const started = await server.api.post(`/api/v2/sessions/${server.sessionId}/cycles`, {
      directive: 'Name two rivers.',
      models,
    });
    const cycle = await server.api.rested(started.body.cycle_id as string);
    expect(modelsOf(server.asked())).toEqual(['asked-b', 'session-c', 'asked-b']);
    expect(cycle.steps.map(({ input }: { input: { model: string } }) => input.model)).toEqual([
      'asked-b',
      'session-c',
      'asked-b',
    ]);
  });

  it('leaves the client’s sampling fields, format and tools to Codey alone', async () => {
    const { chat } = await serverWithModels();
    const fields = {
      temperature: 0.7,
      top_p: 0.9,
      seed: 4,
      stop: ['END'],
      max_tokens: 50,
      presence_penalty: 0.1,
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
    };
    const [guidance, draft, verdict] = (await chat({}, fields)).asked;
    expect(draft).toMatchObject(fields);
    for (const call of [guidance, verdict]) {
      for (const field of Object.keys(fields)) expect(call).not.toHaveProperty(field);
    }
  });

  it('is refused when it is no name, with the field that is wrong', async () => {
    const { chat } = await serverWithModels();
    const { answer, asked } = await chat({ models: { codey: '' } });
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'covenant.models.codey' } } });
    expect(asked).toEqual([]);
  });
});

describe('the session’s preference max_rounds', () => {
  it('holds where the request says nothing', async () => {
    const { api, sessionId } = await serverWithModels({ max_rounds: 0 });
    const started = await api.post(`/api/v2/sessions/${sessionId}/cycles`, { directive: 'Two rivers.' });
    const asked = await api.post(`/api/v2/sessions/${sessionId}/cycles`, {
      directive: 'Two.',
      max_rounds: 2,
    });
    expect((await api.rested(started.body.cycle_id as string)).max_rounds).toBe(0);
    expect((await api.rested(asked.body.cycle_id as string)).max_rounds).toBe(2);
  });
});
