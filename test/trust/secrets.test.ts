import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { fakeSecret } from '../text/redaction/fake-secrets.ts';
import {
  EVERYTHING_ON,
  liveThrough,
  sayManyWords,
  scriptUpstream,
  TABLES_OF_A_SESSION,
} from './busy-session.ts';
import { startWhole, UPSTREAM_KEY, whereIn } from './whole-server.ts';

const SECRET = fakeSecret('github-token');
const MASK = '[masked: github-token]';

async function upstreamSaying(word: string) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  scriptUpstream(upstream, word);
  return upstream;
}

describe('secrets that people paste', () => {
  it('are in no file, no log line, no answer from memory and no later prompt, whatever they were pasted into', async () => {
    const upstream = await upstreamSaying(SECRET);
    const server = await startWhole(upstream, EVERYTHING_ON);
    const { sessionId, base, conversationId, direct, supervised, failed } = await liveThrough(
      server,
      upstream,
      SECRET,
    );
    expect(failed).toEqual([]);
    await sayManyWords(server, conversationId, SECRET);

    // The live answers are what the upstream said.
    expect(direct.choices[0].message.content).toBe(`Noted: ${SECRET}`);
    expect(supervised.choices[0].message.content).toBe(`A draft with ${SECRET}.`);
    // What was stored is told: question and answer.
    expect(direct.memory_metadata.masked_secrets).toBe(2);
    const { masked_secrets: counted } = await server.call('GET', `${base}/analytics`);
    expect(counted['github-token']).toBeGreaterThan(15);
    const metrics = await server.send('GET', '/metrics').then((response) => response.text());
    expect(metrics).toMatch(/ccc_masked_secrets_total\{kind="github-token"\} \d\d/);

    // What goes out of memory.
    const exported = await server.send('POST', `${base}/export`).then((response) => response.text());
    expect(exported).toContain(MASK);
    expect(exported).not.toContain(SECRET);
    const context = await server.call('GET', `${base}/context?directive=harbour`);
    expect(context.prompt).toContain(MASK);
    upstream.calls.length = 0;
    await server.call('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: sessionId,
      messages: [{ role: 'user', content: 'What was it that you noted?' }],
    });
    const asked = upstream.calls.find(({ path }) => path === '/chat/completions')?.body ?? '';
    expect(asked).toContain(MASK);
    expect(upstream.calls.map(({ body }) => body).join('')).not.toContain(SECRET);

    await server.stop();
    expect(whereIn(server.folder, SECRET)).toEqual([]);
    expect(whereIn(server.folder, MASK)).toContain('ccc.db');
    // Of the index, too: terms are parts of words.
    expect(whereIn(server.folder, SECRET.slice(4, 24))).toEqual([]);
    expect(server.log.join('')).not.toContain(SECRET);
    // Every table had something to hold, or this test shows nothing.
    const record = new Database(join(server.folder, 'ccc.db'), { readonly: true });
    const empty = TABLES_OF_A_SESSION.filter(
      (table) => record.prepare(`SELECT count(*) FROM ${table}`).pluck().get() === 0,
    );
    record.close();
    expect(empty).toEqual([]);
  });

  it('are masked when a session is brought in', async () => {
    const upstream = await upstreamSaying(SECRET);
    const open = await startWhole(upstream, { ...EVERYTHING_ON, CCC_REDACT: 'off' });
    const { base } = await liveThrough(open, upstream, SECRET);
    const exported = await open.send('POST', `${base}/export`).then((response) => response.text());
    expect(exported).toContain(SECRET);
    await open.stop();
    expect(whereIn(open.folder, SECRET)).toContain('ccc.db');

    const server = await startWhole(upstream, EVERYTHING_ON);
    const taken = await server.call('POST', '/api/v2/sessions/import', exported, {
      'content-type': 'application/x-ndjson',
    });
    await server.settled();
    const again = await server
      .send('POST', `/api/v2/sessions/${String(taken.session_id)}/export`)
      .then((response) => response.text());
    expect(again).not.toContain(SECRET);
    // Nothing else has changed: masked by hand, the one is the other, but for the counts.
    const counts = /"masked_secrets":\{[^}]*\},?/g;
    const plain = (text: string) =>
      text.replaceAll(counts, '').replaceAll(SECRET, MASK).replaceAll(',}', '}').split('\n').length;
    expect(plain(again)).toBe(plain(exported));
    await server.stop();
    expect(whereIn(server.folder, SECRET.slice(4, 24))).toEqual([]);
  });

  it('this server’s own: the upstream’s key, a session’s token, a client’s key', async () => {
    const key = fakeSecret('ccc-api-key');
    const upstream = await upstreamSaying('nothing');
    const server = await startWhole(upstream, { CCC_COVENANT_DEFAULT: 'direct' });
    const session = await server.call('POST', '/api/v2/sessions', {});
    const token = String(session.token);
    const answer = await server.call('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: session.session_id,
      messages: [{ role: 'user', content: `I have ${token} and ${key}, and you have ${UPSTREAM_KEY}.` }],
    });
    const { turns } = await server.call(
      'GET',
      `/api/v2/conversations/${String(answer.memory_metadata.conversation_id)}`,
    );
    expect(turns[0].content).toBe(
      'I have [masked: ccc-session-token] and [masked: ccc-api-key], and you have [masked: openai-api-key].',
    );
    await server.stop();
    for (const secret of [token, key, UPSTREAM_KEY]) expect(whereIn(server.folder, secret)).toEqual([]);
  });

  it('a resent history is still led back to its conversation, though its answer was masked', async () => {
    const upstream = await upstreamSaying(SECRET);
    const server = await startWhole(upstream, { CCC_COVENANT_DEFAULT: 'direct' });
    const session = await server.call('POST', '/api/v2/sessions', {});
    const chat = (messages: object[]) =>
      server.call('POST', '/v2/chat/completions', { model: 'any', session_id: session.session_id, messages });
    const question = { role: 'user', content: `Keep ${SECRET}` };
    const first = await chat([question]);
    const second = await chat([question, first.choices[0].message, { role: 'user', content: 'Thank you.' }]);
    expect(second.memory_metadata.conversation_id).toBe(first.memory_metadata.conversation_id);
  });

  it('stay when CCC_REDACT is off', async () => {
    const upstream = await upstreamSaying('nothing');
    const server = await startWhole(upstream, { CCC_REDACT: 'off' });
    const session = await server.call('POST', '/api/v2/sessions', { user_preferences: { note: SECRET } });
    expect(session.user_preferences.note).toBe(SECRET);
  });
});
