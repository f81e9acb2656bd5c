import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { buildParts } from '../../src/build-parts.ts';
import { loadSettings } from '../../src/config/load.ts';
import { startUpstream, temporaryFile } from '../http/chat/support.ts';
import { answering, approving } from './support.ts';

/** The whole server, built as `npm start` builds it, on data that may be there already. Nothing lives on in memory. */
async function startServer(folder: string, upstreamUrl: string) {
  const { settings } = loadSettings({
    CCC_DATA_DIR: folder,
    OPENAI_BASE_URL: upstreamUrl,
    OPENAI_API_KEY: 'sk-server',
    OPENAI_MAX_RETRIES: '0',
  });
  const parts = await buildParts(settings, silentLogger);
  const server = createServer(buildApp(parts)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    memory: parts.memory,
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await parts.settle(1_000);
      await parts.close();
    },
  };
}

const say = (client: OpenAI, content: string, fields: object = {}) =>
  client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }], ...fields });
const FACT = 'My sister Ana is allergic to peanuts.';
const QUESTION = 'What should I not cook for Ana?';

describe.each([
  ['direct', () => answering('Noted.')],
  ['cycle', () => approving('Noted.')],
] as const)('a fact told once (%s mode)', (mode, script) => {
  it('is in the prompt of another conversation after a restart, and of no other session', async () => {
    const file = dirname(temporaryFile());
    const upstream = await startUpstream(script());
    const first = await startServer(file, upstream.url);
    const mine = await first.memory.createSession({ userPreferences: { covenant_mode: mode } });
    const other = await first.memory.createSession({ userPreferences: { covenant_mode: mode } });
    const told = await say(new OpenAI({ baseURL: first.baseURL, apiKey: mine.token, maxRetries: 0 }), FACT);
    await first.stop();

    const second = await startServer(file, upstream.url);
    try {
      const ask = async (token: string) => {
        upstream.script = script();
        upstream.seen.length = 0;
        const client = new OpenAI({ baseURL: second.baseURL, apiKey: token, maxRetries: 0 });
        const reply = await say(client, QUESTION);
        return {
          reply: reply as unknown as typeof told & { memory_metadata: object },
          prompts: upstream.seen,
        };
      };
      const asked = await ask(mine.token);
      expect(asked.reply).toMatchObject({ memory_metadata: { context_used: true, degraded: null } });
      expect(asked.reply.memory_metadata).not.toMatchObject({
        conversation_id: (told as unknown as { memory_metadata: { conversation_id: string } }).memory_metadata
          .conversation_id,
      });
      // Direct: the one call. Cycle: Beatrice and Codey both know.
      const informed = asked.prompts.filter((seen) => seen.text.includes('allergic to peanuts'));
      expect(informed.length).toBeGreaterThanOrEqual(mode === 'direct' ? 1 : 2);

      const stranger = await ask(other.token);
      expect(stranger.prompts.length).toBeGreaterThan(0);
      expect(stranger.prompts.filter((seen) => seen.text.includes('peanuts'))).toEqual([]);
    } finally {
      await second.stop();
    }
  });
});
