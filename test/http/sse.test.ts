import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { SseWriter } from '../../src/http/sse.ts';
import { bytesOf, listen } from './support.ts';

/** A server with one event stream, and a client that has its headers. */
async function open(heartbeatMs?: number) {
  let served: (writer: { sse: SseWriter; res: ServerResponse }) => void = () => undefined;
  const serving = new Promise<{ sse: SseWriter; res: ServerResponse }>((resolve) => (served = resolve));
  const url = await listen((_req, res) => {
    served({ sse: new SseWriter(res, heartbeatMs), res });
  });
  const client = get(url);
  client.on('error', () => undefined);
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  return { ...(await serving), client, response };
}

describe('an event stream', () => {
  it('sends its headers at once, so that no client gives up on a long silence', async () => {
    const { response, sse } = await open();
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
    });
    sse.close();
  });

  it('writes events as the standard says: names and ids first, the data as one line of JSON', async () => {
    const { response, sse } = await open();
    await sse.send({ data: { text: 'two\nlines\r\u2028' } });
    await sse.send({ event: 'draft', id: '7', data: [1] });
    await sse.comment('still here');
    await sse.raw('data: [DONE]\n\n');
    sse.close();
    sse.close();
    expect((await bytesOf(response)).toString()).toBe(
      'data: {"text":"two\\nlines\\r\u2028"}\n\nid: 7\nevent: draft\ndata: [1]\n\n: still here\n\ndata: [DONE]\n\n',
    );
  });

  it.each(['a\nb', 'a\rb', 'a\0b'])('refuses %j in a name, an id and a comment', async (text) => {
    const { sse } = await open();
    expect(() => sse.send({ event: text, data: 1 })).toThrow(TypeError);
    expect(() => sse.send({ id: text, data: 1 })).toThrow(TypeError);
    expect(() => sse.comment(text)).toThrow(TypeError);
    sse.close();
  });

  it('sends a comment when nothing was said for a while, and none after its end', async () => {
    const { response, sse } = await open(20);
    const text = await new Promise<string>((resolve) => {
      let heard = '';
      response.on('data', (part: Buffer) => {
        heard += part.toString();
        if (heard.split('\n\n').length > 3) resolve(heard);
      });
    });
    expect(text).toMatch(/^(: keep-alive\n\n){3}/);
    sse.close();
    await once(response, 'end');
  });

  it('waits for a slow client, and no longer than it is there', async () => {
    const { sse, client, response } = await open();
    response.pause();
    const part = 'x'.repeat(1024 * 1024);
    let waiting: Promise<void> | null = null;
    // Until what lies between the two is full.
    for (let sent = 0; sent < 200 && waiting === null; sent += 1) {
      const write = sse.raw(part);
      const done = await Promise.race([
        write.then(() => true),
        new Promise((resolve) => setTimeout(resolve, 200, false)),
      ]);
      if (done === false) waiting = write;
    }
    expect(waiting).not.toBeNull();
    expect(sse.signal.aborted).toBe(false);
    client.destroy();
    await waiting;
    expect(sse.signal.aborted).toBe(true);
    // Writing to nobody is no error.
    await sse.send({ data: 1 });
    sse.close();
  });

  it('does not take its own end for a client that hung up', async () => {
    const { sse, res, response } = await open();
    sse.close();
    await bytesOf(response);
    if (!res.closed) await once(res, 'close');
    expect(sse.signal.aborted).toBe(false);
  });
});
