import { describe, expect, it } from 'vitest';
import { startChat } from './support.ts';

const messages = '"messages": [{"role": "user", "content": "Hello."}]';

describe('a request that names no model, in direct mode', () => {
  it.each([
    ['none', `{${messages}}`, `{${messages},"model":"up-default"}`],
    [
      'null',
      `{"model": null, ${messages}, "seed": 1.0}`,
      `{"model": "up-default", ${messages}, "seed": 1.0}`,
    ],
    ['an empty one', `{"model": "", ${messages}}`, `{"model": "up-default", ${messages}}`],
    ['its own', `{"model": "m", ${messages}}`, `{"model": "m", ${messages}}`],
    ['what is no name', `{"model": 7, ${messages}}`, `{"model": 7, ${messages}}`],
  ])('goes to OPENAI_MODEL, and no other byte is changed: %s', async (_name, sent, seen) => {
    const chat = await startChat();
    const { sessionId } = await chat.session();
    await chat.post(sent, { headers: { 'x-ccc-session-id': sessionId } });
    expect(chat.upstream.seen[0]?.text).toBe(seen);
  });

  it('stays as it is without a session: that is the plain proxy', async () => {
    const chat = await startChat();
    await chat.post(`{${messages}}`);
    expect(chat.upstream.seen[0]?.text).toBe(`{${messages}}`);
  });
});
