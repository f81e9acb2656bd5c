import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpServer } from '../../src/http/http-server.ts';
import { sendError } from '../../src/http/errors.ts';
import { CccError } from '../../src/base/ccc-error.ts';

it('a connection that brings one refused body after the other gathers nothing', async () => {
  let serverSide: Socket | undefined;
  const server = createHttpServer((req, res) => {
    serverSide = req.socket;
    sendError(res, new CccError('origin_not_allowed'));
  });
  const port = await server.listen('127.0.0.1', 0);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(async () => {
    agent.destroy();
    await server.stop(0);
  });
  const post = () =>
    new Promise<number>((resolve, reject) => {
      const sent = request({ port, method: 'POST', agent, headers: { 'content-length': 4 } }, (res) => {
        res.resume().once('end', () => {
          resolve(res.statusCode ?? 0);
        });
      });
      sent.once('error', reject);
      sent.end('"hi"');
    });
  expect(await post()).toBe(403);
  const first = serverSide;
  const before = first?.listenerCount('close') ?? 0;
  for (let times = 0; times < 20; times += 1) expect(await post()).toBe(403);
  expect(serverSide).toBe(first);
  expect(first?.listenerCount('close')).toBeLessThanOrEqual(before + 1);
});
