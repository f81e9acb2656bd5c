import { describe, expect, it } from 'vitest';
import { asking, newSession, openMemory, told } from './support.ts';

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
async function* given(lines: string[]): AsyncGenerator<string> {
  await Promise.resolve();
  yield* lines;
}

async function exported() {
  const { memory } = await openMemory();
  const sessionId = await newSession(memory);
  await told(memory, sessionId, 'My sister Ana is allergic to peanuts.', [
    { agent: 'codey', kind: 'answer', content: 'Noted.', metadata: { note: 'naïve 日本' } },
  ]);
  await memory.putAgentState({ sessionId, agent: 'codey', state: { tone: 'plain' } });
  await memory.putSummary({ sessionId, conversationId: null, text: 'About Ana.' });
  return { sessionId, lines: await linesOf(memory.exportSession(sessionId)) };
}

describe('export and import', () => {
  it('are equal both ways, and what was imported is found', async () => {
    const { sessionId, lines } = await exported();
    const { memory } = await openMemory();
    const { session, token } = await memory.importSession(given(lines));
    expect(session.sessionId).toBe(sessionId);
    expect(await linesOf(memory.exportSession(sessionId))).toEqual(lines);
    expect((await memory.openByToken(token))?.sessionId).toBe(sessionId);
    const { prompt } = await memory.buildContext(asking(sessionId, 'What should I not cook for Ana?'));
    expect(prompt).toContain('peanuts');
  });

  it('refuses to import over a session that is there, and leaves it as it was', async () => {
    const { memory } = await openMemory();
    const sessionId = await newSession(memory);
    await told(memory, sessionId, 'Mine.');
    const lines = await linesOf(memory.exportSession(sessionId));
    await expect(memory.importSession(given(lines))).rejects.toMatchObject({ code: 'session_exists' });
    expect(await linesOf(memory.exportSession(sessionId))).toEqual(lines);
  });

  it.each([
    ['a line that is not JSON', (lines: string[]) => [...lines, '{'], 'invalid_json'],
    ['a line that is no row', (lines: string[]) => [...lines, '{"table":7}'], 'invalid_request'],
    ['no session first', (lines: string[]) => lines.slice(1), 'invalid_request'],
    [
      'a turn that is missing',
      (lines: string[]) => lines.filter((line) => !line.includes('"turn_number":1')),
      'invalid_request',
    ],
    ['nothing', () => [], 'invalid_request'],
  ])('leaves nothing behind of an import with %s', async (_name, spoil, code) => {
    const { sessionId, lines } = await exported();
    const { memory } = await openMemory();
    await expect(memory.importSession(given(spoil(lines)))).rejects.toMatchObject({ code });
    await expect(memory.getSession(sessionId)).rejects.toMatchObject({ code: 'session_not_found' });
    await expect(memory.importSession(given(lines))).resolves.toMatchObject({ session: { sessionId } });
  });

  it('says so when a session is not there', async () => {
    const { memory } = await openMemory();
    await expect(linesOf(memory.exportSession('sess_none'))).rejects.toMatchObject({
      code: 'session_not_found',
    });
  });
});
