import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, startServerProcess, type RunningServer } from '../support/server-process.ts';

const run = promisify(execFile);
const tsx = (args: string[], env: Record<string, string> = {}) =>
  run(process.execPath, ['--import', 'tsx', ...args], { cwd: ROOT, env: { ...process.env, ...env } });

describe('the examples', () => {
  let server: RunningServer;
  let folder: string;

  beforeAll(async () => {
    server = await startServerProcess();
    folder = await mkdtemp(join(tmpdir(), 'ccc-examples-'));
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('remember.ts finds the conversation about e-mail addresses when asked for phone numbers', async () => {
    const { stdout } = await tsx(['examples/remember.ts']);
    expect(stdout).toMatch(/e-mail address/i);
  });

  it('openai-sdk.ts answers about Ana from memory', async () => {
    const { stdout } = await tsx(['examples/openai-sdk.ts'], { CCC_URL: server.url });
    expect(stdout).toMatch(/cycle: .*peanuts/s);
  });

  it('conversation.sh does the same in curl', async () => {
    const { stdout } = await run('bash', ['examples/conversation.sh'], {
      cwd: ROOT,
      env: { ...process.env, CCC_URL: server.url },
    });
    expect(stdout.trim().split('\n').at(-1)).toContain('peanuts');
  });

  it('long-history.ts brings a history in with its own times and finds the evidence', async () => {
    const file = join(folder, 'history.json');
    await writeFile(file, JSON.stringify(smallHistory()));
    const { stdout, stderr } = await tsx(['examples/long-history.ts', file, '2']);
    expect(stderr).toContain('4 of 4 turns');
    expect(stdout).toContain('Evidence in the prompt: direct 2, cycle 2 of 2');
  });

  it('long-history.ts without a file names the data set, and takes the shape that it prints', async () => {
    const refused = await tsx(['examples/long-history.ts']).catch((error: unknown) => error);
    const { code, stderr } = refused as { code: number; stderr: string };
    expect(code).toBe(2);
    expect(stderr).toContain('LoCoMo');
    const file = join(folder, 'shape.json');
    await writeFile(file, /^\{$[^]*?^\}$/m.exec(stderr)?.[0] ?? '');
    const { stdout } = await tsx(['examples/long-history.ts', file]);
    expect(stdout).toContain('Evidence in the prompt: direct 1, cycle 1 of 1');
  });
});

/** Two days of two people, in the shape of the LoCoMo files; written for this test. */
function smallHistory() {
  return {
    conversation: {
      session_1_date_time: '9:05 am on 3 March, 2024',
      session_1: [
        { speaker: 'Ines', dia_id: 'D1:1', text: 'I adopted a grey cat called Basalt last weekend.' },
        { speaker: 'Tomas', dia_id: 'D1:2', text: 'Lovely! I am still painting the boat shed.' },
      ],
      session_2_date_time: '7:40 pm on 11 April, 2024',
      session_2: [
        {
          speaker: 'Tomas',
          dia_id: 'D2:1',
          text: 'The boat shed is green now.',
          blip_caption: 'a green shed by a lake',
        },
        { speaker: 'Ines', dia_id: 'D2:2', text: 'Basalt caught a moth and was very proud.' },
      ],
    },
    qa: [
      {
        question: 'What is the name of the cat that Ines adopted?',
        answer: 'Basalt',
        evidence: ['D1:1'],
        category: 4,
      },
      {
        question: 'Which colour has the boat shed of Tomas?',
        answer: 'green',
        evidence: ['D2:1'],
        category: 4,
      },
    ],
  };
}
