import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chunk, eventsOf, startChat } from './support.ts';

const body = { model: 'm', messages: [{ role: 'user', content: 'Name three rivers.' }] };

/** A `/v2` whose record takes so long that the upstream's answer is over before the directive is stored. */
async function startSlowRecord(script: (end: () => void) => Parameters<typeof startChat>[0]) {
  let over: () => void = () => undefined;
  const isOver = new Promise<void>((resolve) => {
    over = resolve;
  });
  return startChat(
    script(() => {
      over();
    }),
    ({ memory }) => ({
      memory: {
        ...memory,
        createConversation: async (input) => {
          await isOver;
          // Long enough for the end of the connection to have been noticed here.
          for (let turn = 0; turn < 50; turn += 1) await nextTurn();
          return memory.createConversation(input);
        },
      },
    }),
  );
}

describe('an answer that comes before its conversation is stored', () => {
  it('loses nothing when the upstream breaks off meanwhile: what came, and then the error', async () => {
    const chat = await startSlowRecord((end) => (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chunk({ role: 'assistant', content: 'Half of it' }), () => {
        res.destroy();
        end();
      });
    });
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...body, stream: true, session_id: sessionId });
    const [first, second, ...rest] = eventsOf(await response.text());
    expect(first).toMatchObject({ choices: [{ delta: { content: 'Half of it' } }] });
    expect(second).toMatchObject({ error: { code: 'upstream_unreachable' } });
    expect(rest).toEqual([]);
    const turns = await chat.memory.turns(response.headers.get('x-ccc-conversation-id'));
    expect(turns.at(-1)).toMatchObject({
      content: 'Half of it',
      metadata: { incomplete: 'upstream_broke_off' },
    });
  });

  it('is given whole when the upstream has ended meanwhile', async () => {
    const chat = await startSlowRecord((end) => (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chunk({ role: 'assistant', content: 'All of it' }));
      res.end(chunk({}, 'stop') + 'data: [DONE]\n\n', end);
    });
    const { sessionId } = await chat.session();
    const response = await chat.post({ ...body, stream: true, session_id: sessionId });
    const events = eventsOf(await response.text());
    expect(events[0]).toMatchObject({ choices: [{ delta: { content: 'All of it' } }] });
    expect(events.at(-2)).toMatchObject({ choices: [], memory_metadata: { degraded: null } });
    expect(events.at(-1)).toBe('[DONE]');
  });
});
