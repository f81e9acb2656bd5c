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
    ['no header', (lines: string[]) => lines.slice(1), 'invalid_request'],
    [
      'another format version',
      (lines: string[]) => ['{"format":"ccc-session","version":2}', ...lines.slice(1)],
      'invalid_request',
    ],
    ['no session first', (lines: string[]) => lines.toSpliced(1, 1), 'invalid_request'],
    ['a second session', (lines: string[]) => [...lines, lines[1] ?? ''], 'session_exists'],
    ['a header alone', (lines: string[]) => lines.slice(0, 1), 'invalid_request'],
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

  it('begin with a line that names the format and its version', async () => {
    const { lines } = await exported();
    expect(JSON.parse(lines[0] ?? '')).toEqual({ format: 'ccc-session', version: 1 });
  });

  it('leaves nothing behind when the stream breaks, and nothing of it is seen before', async () => {
    const { sessionId, lines } = await exported();
    const { memory } = await openMemory();
    async function* broken(): AsyncGenerator<string> {
      yield* lines;
      for (let at = 0; at < 300; at += 1) {
        const row = JSON.parse(lines.find((line) => line.includes('"turns"')) ?? '') as { row: object };
        yield JSON.stringify({
          ...row,
          row: { ...row.row, turn_number: at + 3, turn_id: `turn_${String(at)}` },
        });
      }
      await expect(memory.getSession(sessionId)).rejects.toMatchObject({ code: 'session_not_found' });
      throw new Error('the wire was cut');
    }
    await expect(memory.importSession(broken())).rejects.toThrow('the wire was cut');
    await expect(memory.importSession(given(lines))).resolves.toBeDefined();
    expect(await linesOf(memory.exportSession(sessionId))).toEqual(lines);
  });

  it('does not clear away an import of the same session that somebody else has begun', async () => {
    const { lines } = await exported();
    const { memory } = await openMemory();
    let [stored, go] = [() => {}, () => {}];
    const begun = new Promise<void>((resolve) => (stored = resolve));
    const gate = new Promise<void>((resolve) => (go = resolve));
    async function* slow(): AsyncGenerator<string> {
      // More rows than one batch, so that the first is stored before the wait.
      yield* lines.slice(0, 2);
      const conversation = JSON.parse(lines[2] ?? '') as { row: object };
      for (let at = 2; at < 120; at += 1) {
        const row = { ...conversation.row, conversation_id: `conv_${String(at)}`, ordinal: at };
        yield JSON.stringify({ table: 'conversations', row });
      }
      stored();
      await gate;
      yield* lines.slice(2);
    }
    const first = memory.importSession(slow());
    await begun;
    await expect(memory.importSession(given(lines))).rejects.toMatchObject({ code: 'session_exists' });
    go();
    await expect(first).resolves.toBeDefined();
  });

  it('leaves for the next export what refers to something that came after its table was read', async () => {
    const { memory } = await openMemory();
    const sessionId = await newSession(memory);
    const turns = Array.from({ length: 300 }, (_, at) => ({
      agent: 'wykeve' as const,
      content: `Remark ${String(at)}.`,
    }));
    await told(memory, sessionId, 'Before', turns);
    const lines: string[] = [];
    for await (const line of memory.exportSession(sessionId)) {
      lines.push(line);
      // The first page has been read; the others have not.
      if (lines.length === 10) await told(memory, sessionId, 'Meanwhile', turns.slice(0, 3));
    }
    expect(lines.join('\n')).not.toContain('Meanwhile');
    const { memory: elsewhere } = await openMemory();
    await expect(elsewhere.importSession(given(lines))).resolves.toMatchObject({
      session: { conversationCount: 1, totalTurns: 301 },
    });
  });

  it('says so when a session is not there', async () => {
    const { memory } = await openMemory();
    await expect(linesOf(memory.exportSession('sess_none'))).rejects.toMatchObject({
      code: 'session_not_found',
    });
  });
});
