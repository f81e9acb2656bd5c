import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { duration } from '../../src/http/spending/limit-tokens.ts';
import { tokensOf } from '../../src/http/spending/read-usage.ts';
import { TokenLedger } from '../../src/http/spending/token-ledger.ts';
import { completion, role, startUpstream, streamed, type UpstreamReply } from '../support/upstream.ts';
import { startWhole } from '../trust/whole-server.ts';
import { APPROVE } from './cycles/support.ts';

const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
const KEYS = `laptop:${hashOf('of-the-laptop')},small:${hashOf('of-the-small')}:60/min:100tokens/day`;
const small = { authorization: 'Bearer of-the-small' };
const laptop = { authorization: 'Bearer of-the-laptop' };
const question = { model: 'm', messages: [{ role: 'user', content: 'Name two rivers of Europe.' }] };
const usage = (tokens: number) => ({ usage: { prompt_tokens: tokens, completion_tokens: 0 } });

async function start(reply: UpstreamReply, settings: Record<string, string> = {}) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  upstream.on('/chat/completions', reply);
  const server = await startWhole(upstream, { CCC_API_KEYS: KEYS, ...settings });
  const ask = async (headers: Record<string, string>, more: object = {}, path = '/v1/chat/completions') => {
    const answer = await server.send('POST', path, { ...question, ...more }, headers);
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text };
  };
  /** What is left, once the answers so far are counted. */
  const left = async (headers: Record<string, string>, expected: number) =>
    expect
      .poll(async () => {
        // Wrong by its body: asked, and nothing spent.
        const answer = await server.send('POST', '/v2/chat/completions', '{"', headers);
        return Number(answer.headers.get('x-ratelimit-remaining-tokens'));
      })
      .toBe(expected);
  return { ...server, upstream, ask, left };
}

describe('the tokens of a key for a day', () => {
  it('are told on answers, counted from the upstream’s usage, and refused when they are spent', async () => {
    const { ask, left, upstream } = await start(completion({ content: 'Rhine.', ...usage(70) }));
    const first = await ask(small);
    expect(first.status).toBe(200);
    expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('100');
    expect(first.headers.get('x-ratelimit-remaining-tokens')).toBe('100');
    expect(first.headers.get('x-ratelimit-reset-tokens')).toMatch(/^(\d+h)?(\d+m)?\d+s$/);
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=60;w=60, "tokens";q=100;w=86400');
    await left(small, 30);
    await ask(small);
    await left(small, 0);
    const calls = upstream.calls.length;
    for (const path of ['/v1/chat/completions', '/v1/embeddings', '/v2/chat/completions', '/v2/embeddings']) {
      const refused = await ask(small, {}, path);
      expect(refused.status, path).toBe(429);
      expect(JSON.parse(refused.text)).toEqual({
        error: {
          message: 'The 100 tokens of this caller for today are spent.',
          type: 'insufficient_quota',
          code: 'budget_exhausted',
          param: 'tokens_per_day',
        },
      });
      const seconds = Number(refused.headers.get('retry-after'));
      const midnight = (86_400_000 - (Date.now() % 86_400_000)) / 1000;
      expect(Math.abs(seconds - midnight)).toBeLessThan(60);
      expect(refused.headers.get('x-should-retry')).toBe('false');
    }
    expect(upstream.calls).toHaveLength(calls);
    // Another key has no limit, and reading costs nothing.
    const other = await ask(laptop);
    expect(other.status).toBe(200);
    expect(other.headers.get('x-ratelimit-limit-tokens')).toBeNull();
  });

  it('are those of a stream too, and of one that tells no usage what the tokenizer says', async () => {
    const told = await start(streamed(['The ', 'Rhine.'], usage(40)));
    await told.ask(small, { stream: true, stream_options: { include_usage: true } });
    await told.left(small, 60);
    const silent = await start(streamed(['The ', 'Rhine.']));
    const { text } = await silent.ask(small, { stream: true });
    expect(text).not.toContain('"usage":{');
    // Six of the question and three of the answer, by cl100k_base, and a line break between them.
    await expect
      .poll(async () => {
        const answer = await silent.send('POST', '/v2/chat/completions', '{"', small);
        return 100 - Number(answer.headers.get('x-ratelimit-remaining-tokens'));
      })
      .toSatisfy((spent: number) => spent >= 9 && spent <= 12);
  });

  it('are those of all calls of a cycle, which ends when they are spent', async () => {
    const server = await start(completion({ content: 'Rhine.' }));
    server.upstream
      .on(role('guidance'), streamed(['Two.'], usage(30)))
      .on(role('draft'), streamed(['The Rhine.'], usage(30)))
      .on(role('verdict'), streamed([APPROVE], usage(30)));
    const session = await server.call('POST', '/api/v2/sessions', {}, small);
    const cycle = { covenant: { mode: 'cycle' }, session_id: session.session_id };
    expect((await server.ask(small, cycle, '/v2/chat/completions')).status).toBe(200);
    await server.left(small, 10);
    // The guidance is still to be had; nothing after it.
    expect((await server.ask(small, cycle, '/v2/chat/completions')).status).toBe(429);
    const refused = await server.ask(small, {}, `/api/v2/sessions/${String(session.session_id)}/cycles`);
    expect(refused.status).toBe(429);
  });

  it('are not given back by a restart', async () => {
    const first = await start(completion({ content: 'Rhine.', ...usage(150) }));
    await first.ask(small);
    await first.left(small, 0);
    await first.stop();
    const again = await startWhole(first.upstream, { CCC_API_KEYS: KEYS, CCC_DATA_DIR: first.folder });
    expect((await again.send('POST', '/v1/chat/completions', question, small)).status).toBe(429);
  });

  it('have a default, for keys, tokens of sessions and addresses, which a key’s own goes before', async () => {
    const { ask, call, left } = await start(completion({ content: 'Rhine.', ...usage(20) }), {
      CCC_TOKENS_PER_DAY: '50',
    });
    const session = await call('POST', '/api/v2/sessions', {}, laptop);
    const token = { authorization: `Bearer ${String(session.token)}` };
    const direct = { covenant: { mode: 'direct' } };
    await ask(token, direct, '/v2/chat/completions');
    await left(token, 30);
    await left(laptop, 50);
    await left(small, 100);
    const open = await start(completion({ content: 'Rhine.', ...usage(20) }), {
      CCC_API_KEYS: '',
      CCC_TOKENS_PER_DAY: '50',
    });
    await open.ask({});
    await open.left({}, 30);
  });
});

describe('what an exchange has cost', () => {
  const asked = Buffer.from(JSON.stringify(question));
  const cost = (type: string, text: string | Buffer, encoding = '') =>
    tokensOf({ asked, answered: { bytes: Buffer.from(text), type, encoding } });

  it('is read from any of the API’s forms, packed or not', async () => {
    const chat = JSON.stringify({ choices: [], usage: { total_tokens: 41 } });
    expect(await cost('application/json', chat)).toBe(41);
    expect(await cost('application/json', gzipSync(chat), 'gzip')).toBe(41);
    expect(await cost('application/json', brotliCompressSync(chat), 'br')).toBe(41);
    const response = {
      type: 'response.completed',
      response: { usage: { input_tokens: 5, output_tokens: 6 } },
    };
    expect(await cost('text/event-stream', `event: x\ndata: ${JSON.stringify(response)}\n\n`)).toBe(11);
    const usages = [1, 2].map((n) => `data: {"usage":{"total_tokens":${String(n)}}}\n\n`).join('');
    expect(await cost('text/event-stream; charset=utf-8', `${usages}data: [DONE]\n\n`)).toBe(2);
  });

  it('is estimated from both texts where no usage comes: broken off, unreadable, or no answer at all', async () => {
    const prompt = await tokensOf({ asked, answered: null });
    expect(prompt).toBeGreaterThan(4);
    expect(await cost('application/json', '{"choices":[{"message":{"con')).toBe(prompt);
    expect(await cost('application/json', 'x', 'zstd')).toBe(prompt);
    const event = (text: string) => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`;
    const broken = await cost('text/event-stream', `${event('one two ')}${event('three')}data: {"cho`);
    expect(broken).toBeGreaterThanOrEqual(prompt + 3);
    const picture = `data:image/png;base64,${'A'.repeat(100_000)}`;
    const whole = { messages: [{ content: [{ type: 'image_url', image_url: { url: picture } }] }] };
    expect(await tokensOf({ asked: Buffer.from(JSON.stringify(whole)), answered: null })).toBeLessThan(5);
    const cut = Buffer.from(JSON.stringify(whole)).subarray(0, 50_000);
    expect(await tokensOf({ asked: cut, answered: null })).toBeLessThan(60);
  });

  it('takes no time that grows with the depth of a body', async () => {
    const deep = `${'{"content":'.repeat(50_000)}"x"${'}'.repeat(50_000)}`;
    expect(await tokensOf({ asked: Buffer.from(deep), answered: null })).toBeGreaterThan(0);
  });
});

describe('the ledger', () => {
  const DAY = 86_400_000;
  function ledger(store: { failing?: boolean; shared?: boolean } = {}) {
    const spent = new Map<string, number>();
    const key = (caller: string, at: number) => `${caller} ${String(Math.floor(at / DAY))}`;
    const clock = { time: 10 * DAY + 1000, now: () => clock.time };
    let writes = 0;
    const tokens = new TokenLedger({
      store: {
        spend: async (entries) => {
          writes += 1;
          await new Promise((resolve) => setImmediate(resolve));
          if (store.failing === true) throw new Error('the disk is full');
          for (const { caller, tokens: more, at } of entries)
            spent.set(key(caller, at), (spent.get(key(caller, at)) ?? 0) + more);
          return entries.map(({ caller, at }) => spent.get(key(caller, at)) ?? 0);
        },
        spentBy: (caller, at) => Promise.resolve(spent.get(key(caller, at)) ?? 0),
      },
      limits: new Map([['key free', 0]]),
      defaultLimit: 100,
      shared: store.shared ?? false,
      clock,
      logger: silentLogger,
    });
    return { tokens, spent, clock, store, writes: () => writes };
  }

  it('gathers what is spent while it writes: many answers, few writes, and no token lost', async () => {
    const { tokens, spent, writes } = ledger();
    for (let i = 0; i < 1_000; i += 1) tokens.spend('key a', 3);
    await tokens.settle();
    expect(spent.get('key a 10')).toBe(3_000);
    expect(writes()).toBeLessThanOrEqual(2);
    tokens.spend('key free', 5);
    await tokens.settle();
    expect([...spent.keys()]).toEqual(['key a 10']);
  });

  it('begins anew at midnight UTC', async () => {
    const { tokens, clock } = ledger();
    tokens.spend('key a', 100);
    expect(await tokens.standing('key a')).toEqual({ limit: 100, spent: 100, endsInMs: DAY - 1000 });
    clock.time += DAY - 1000;
    expect(await tokens.standing('key a')).toEqual({ limit: 100, spent: 0, endsInMs: DAY });
  });

  it('counts on while the record fails, and writes what it owes when it is back', async () => {
    const parts = ledger({ failing: true });
    parts.tokens.spend('key a', 60);
    await parts.tokens.settle();
    expect(await parts.tokens.standing('key a')).toMatchObject({ spent: 60 });
    parts.store.failing = false;
    parts.tokens.spend('key a', 60);
    await parts.tokens.settle();
    expect(parts.spent.get('key a 10')).toBe(120);
    expect(await parts.tokens.standing('key a')).toMatchObject({ spent: 120 });
  });

  it('hears of what other servers on the record have let a caller spend', async () => {
    const { tokens, spent, clock } = ledger({ shared: true });
    expect(await tokens.standing('key a')).toMatchObject({ spent: 0 });
    spent.set('key a 10', 90);
    clock.time += 10_000;
    await tokens.standing('key a');
    await expect.poll(async () => (await tokens.standing('key a'))?.spent).toBe(90);
  });

  it('writes durations as OpenAI does', () => {
    expect([0, 59, 60, 3_600, 61_382].map(duration)).toEqual(['0s', '59s', '1m0s', '1h0m0s', '17h3m2s']);
  });
});
