import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, startServerProcess, type RunningServer } from '../support/server-process.ts';

const run = promisify(execFile);

/** The fenced blocks of one language, in order. */
function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))].map(
    ([, code = '']) => code,
  );
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
