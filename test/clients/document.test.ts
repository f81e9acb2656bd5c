import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, startServerProcess, type RunningServer } from '../support/server-process.ts';
import { CLIENTS } from './clients.ts';
import { DOCUMENT } from './document.ts';

const run = promisify(execFile);
const document = readFileSync(DOCUMENT, 'utf8');
const [, whatToType = ''] = document.split('## What to type\n');
const code = (text: string, language: string) =>
  [...text.matchAll(new RegExp('```' + language + '\\n([^]*?)```', 'g'))].map(([, block = '']) => block);

/** What stands under a client's heading. */
function sectionOf(name: string): string {
  const [, after = ''] = whatToType.split(`\n### ${name}\n`);
  return after.split(/\n###? |\n<!-- /)[0] ?? '';
}

describe('docs/clients.md, what to type, word for word', () => {
  let server: RunningServer;
  let token = '';
  beforeAll(async () => {
    server = await startServerProcess();
    const post = async (path: string, body: object) =>
      (await (
        await fetch(server.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        })
      ).json()) as { token: string };
    ({ token } = await post('/api/v2/sessions', {}));
    const messages = [{ role: 'user', content: 'My sister Ana is allergic to peanuts.' }];
    await post('/v2/chat/completions', { messages, covenant: { mode: 'direct' } });
  });
  afterAll(() => server.stop());

  it.each(CLIENTS)('$name answers from memory', async ({ name, source, modules }) => {
    const env = { ...process.env, CCC_SESSION_TOKEN: token };
    const asked = (text: string) => text.replaceAll('http://127.0.0.1:5111', server.url);
    const section = sectionOf(name);
    const [constants = ''] = code(whatToType, 'js');
    if (source.endsWith('.sh')) {
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', asked(code(section, 'sh')[0] ?? '')], {
        env,
      });
      expect(stdout).toContain('peanuts');
      return;
    }
    const [install = ''] = code(section, 'sh');
    for (const module of modules) expect(install).toContain(` ${module.replace(/-\d$/, '')}@`);
    // Three majors of one package stand side by side here.
    const [own = ''] = modules;
    const lines = (constants + (code(section, 'js')[0] ?? '')).replace(
      "from 'openai'",
      `from '${own.startsWith('openai-') ? own : 'openai'}'`,
    );
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', asked(lines)], {
      cwd: ROOT,
      env,
    });
    expect(stdout).toContain('peanuts');
  });
});
