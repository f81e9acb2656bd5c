import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, startServerProcess, type RunningServer } from '../support/server-process.ts';
import { role, startUpstream, streamed } from '../support/upstream.ts';

const run = promisify(execFile);

/** The fenced blocks of one language, in order. */
function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))].map(
    ([, code = '']) => code,
  );
}

/** Whether an answer holds all that a shortened one shows. `…` stands for any text. */
function shows(shown: unknown, real: unknown): boolean {
  if (typeof shown === 'string' && typeof real === 'string') {
    const parts = shown.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 's').test(real);
  }
  if (typeof shown !== 'object' || shown === null || typeof real !== 'object' || real === null)
    return shown === real;
  if (Array.isArray(shown) && shown.length !== (real as unknown[]).length) return false;
  return Object.entries(shown).every(([key, value]) => shows(value, (real as Record<string, unknown>)[key]));
}

describe('the README', () => {
  let readme: string;
  let server: RunningServer;
  let token = '';

  beforeAll(async () => {
    readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    server = await startServerProcess();
  });
  afterAll(() => server.stop());

  it('has curl lines that work word for word, one after the other', async () => {
    const lines = blocks(readme, 'sh').filter((block) => block.includes('curl'));
    expect(lines).toHaveLength(3);
    const script = [...lines, 'echo "$CCC_SESSION_TOKEN"']
      .join('\necho\n')
      .replaceAll('http://127.0.0.1:5111', server.url);
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script]);
    const printed = stdout.split('\n').filter((line) => line !== '');
    token = printed.pop() ?? '';
    const [told, asked] = printed.map(
      (line) =>
        JSON.parse(line) as {
          memory_metadata: { turn_ids: string[] };
          covenant?: { outcome: string };
          choices: { message: { content: string } }[];
        },
    );
    expect(told?.memory_metadata.turn_ids).toHaveLength(2);
    expect(asked?.covenant?.outcome).toBe('approved');
    expect(asked?.choices[0]?.message.content).toContain('peanuts');
    const shown = blocks(readme, 'json').map((block) => JSON.parse(block) as object);
    expect(shown).toHaveLength(2);
    expect([shows(shown[0], told), shows(shown[1], asked)]).toEqual([true, true]);
  });

  it('says of the plain proxy under /v2 that it tells nothing of memory', async () => {
    const response = await fetch(`${server.url}/v2/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello.' }] }),
    });
    expect(response.status).toBe(200);
    expect(Object.keys((await response.json()) as object)).not.toContain('memory_metadata');
  });

  it('has an OpenAI SDK example that asks for the model of the README’s own Ollama settings', async () => {
    const upstream = await startUpstream();
    upstream
      .on(null, streamed(['Nothing with peanuts.']))
      .on(role('verdict'), streamed(['{"decision": "approve"}']));
    const [, settings = ''] = readme.split('# or Ollama');
    const [, model = ''] = /^OPENAI_MODEL=(.*)$/m.exec(settings) ?? [];
    const real = await startServerProcess({
      env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_MODEL: model },
    });
    const made = await fetch(`${real.url}/api/v2/sessions`, { method: 'POST' });
    const session = (await made.json()) as { token: string };
    const [code = ''] = blocks(readme, 'ts');
    const script = code.replaceAll('http://127.0.0.1:5111', real.url);
    const { stdout } = await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: ROOT,
      env: { ...process.env, CCC_SESSION_TOKEN: session.token },
    });
    expect(stdout.trim()).toBe('Nothing with peanuts.');
    expect(upstream.calls.map(({ json }) => (json as { model: string }).model)).toEqual(
      Array(3).fill('llama3.2'),
    );
    await real.stop();
    await upstream.close();
  });

  it('has an OpenAI SDK example that works word for word', async () => {
    const [code = ''] = blocks(readme, 'ts');
    // The session of the curl lines: in another one there would be nothing to remember.
    expect(token).toMatch(/^ccc_sess_/);
    const script = code.replaceAll('http://127.0.0.1:5111', server.url);
    const { stdout } = await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: ROOT,
      env: { ...process.env, CCC_SESSION_TOKEN: token },
    });
    expect(stdout).toContain('peanuts');
  });

  it('links to files that are there', async () => {
    const targets = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => target);
    expect(targets.length).toBeGreaterThan(5);
    for (const target of targets)
      await expect(readFile(join(ROOT, target), 'utf8'), target).resolves.toBeTruthy();
  });
});
