import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, Agent, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ROOT, startServerProcess, type StartOptions } from '../support/server-process.ts';
import { chunk, completion, DONE, hang, rawBytes, role, startUpstream } from '../support/upstream.ts';

/** These tests run the built server as a person would: `npm run build` first, which `npm test` does. */
async function start(options: StartOptions = {}) {
  const server = await startServerProcess(options);
  onTestFinished(async () => {
    if (server.child.exitCode === null && server.child.signalCode === null) await server.stop('SIGKILL');
  });
  return server;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ccc-process-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** Runs it to its own end. */
async function run(env: Record<string, string>, args: string[] = []) {
  const child = spawn(process.execPath, ['dist/src/main.js', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', CCC_DATA_DIR: join(folder(), 'data'), ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describe('the start', () => {
  it('says in one line where it is, who answers, and where the data lies', async () => {
    const server = await start();
    const response = await fetch(`${server.url}/health`);
    expect(response.status).toBe(200);
    expect(server.stdout().trim().split('\n')).toHaveLength(1);
    expect(server.stdout()).toContain('rehearsal');
    expect(server.stdout()).toContain(server.dataDir);
    expect(await server.stop()).toBe(0);
  });

  it('warns of what looks like a mistake, and not of what a client was given in the same terminal', async () => {
    const server = await start({
      env: {
        CCC_PROVIDER: 'openai',
        OPENAI_API_BASE: 'http://127.0.0.1:9/v1',
        CCC_SESSION_TOKEN: 'ccc_sess_x',
      },
    });
    const warnings = () =>
      server
        .stderr()
        .split('\n')
        .flatMap((line) =>
          line.includes('"level":"warn"') ? [(JSON.parse(line) as { msg: string }).msg] : [],
        );
    await expect
      .poll(warnings)
      .toEqual([
        expect.stringMatching(/OPENAI_API_BASE .* did you mean OPENAI_BASE_URL\?/),
        expect.stringMatching(/OPENAI_API_KEY is not set: api\.openai\.com will refuse every call/),
      ]);
    await server.stop();
  });

  it('makes the data folder, for its owner alone', async () => {
    const dataDir = join(folder(), 'not', 'there', 'yet');
    const server = await start({ dataDir });
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    await server.stop();
  });

  it('names the upstream it will call, without its credentials', async () => {
    const env = { OPENAI_BASE_URL: 'http://user:hidden@127.0.0.1:9/v1', OPENAI_API_KEY: 'sk-hidden' };
    const server = await start({ env });
    const health = await (await fetch(`${server.url}/health`)).text();
    expect(server.stdout()).toContain('http://127.0.0.1:9/v1');
    await server.stop();
    expect(server.stdout() + server.stderr() + health).not.toContain('hidden');
  });
});

describe('a start that cannot be', () => {
  const oneLine = /^CCC cannot start: [^\n]+\n$/;

  it('for a port in use says so in one line and ends with 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { code, stdout, stderr } = await run({ PORT: String(port) });
    taken.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(`port ${String(port)}`);
    expect(stderr).toContain('in use');
  });

  it('for bad settings names them all in one line, without secrets, and ends with 1', async () => {
    const { code, stderr } = await run({ PORT: 'abc', LOG_LEVEL: 'loud', OPENAI_API_KEY: 'sk-hidden' });
    expect(code).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(/PORT.*LOG_LEVEL/);
    expect(stderr).not.toContain('sk-hidden');
  });

  it('for a data folder that is a file says so in one line and ends with 1', async () => {
    const file = join(folder(), 'data');
    writeFileSync(file, '');
    const { code, stderr } = await run({ CCC_DATA_DIR: file });
    expect(code).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(file);
  });

  it('for a record that is no database says so in one line, ends with 1 and touches nothing', async () => {
    const dataDir = folder();
    const file = join(dataDir, 'ccc.db');
    writeFileSync(file, 'not a database, but something that somebody needs');
    const before = statSync(file);
    const { code, stderr } = await run({ CCC_DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(statSync(file)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs });
  });

  it('for a record that a newer version wrote says so in one line and ends with 1', async () => {
    const dataDir = folder();
    const server = await start({ dataDir });
    await server.stop();
    const record = new Database(join(dataDir, 'ccc.db'));
    record
      .prepare('INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (9999, ?, ?, 0)')
      .run('from-the-future', 'x');
    record.close();
    const { code, stderr } = await run({ CCC_DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(/9999.*newer/);
  });

  it('for an option that is not known says so', async () => {
    expect(await run({}, ['--prot'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(oneLine) as string,
    });
  });
});

describe('--help and --version', () => {
  it('print and end, and start nothing', async () => {
    const dataDir = join(folder(), 'data');
    const help = await run({ CCC_DATA_DIR: dataDir }, ['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('CCC_DATA_DIR');
    const version = await run({ CCC_DATA_DIR: dataDir }, ['--version']);
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe('a stop', () => {
  const slowStream = rawBytes(
    [...Array.from({ length: 20 }, (_, at) => chunk({ content: `${String(at)} ` })), chunk({}, 'stop'), DONE],
    { delayMs: 50 },
  );

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s lets a running stream finish and takes nothing new',
    async (signal) => {
      const upstream = await startUpstream();
      onTestFinished(() => upstream.close());
      upstream.on('/chat/completions', slowStream);
      const server = await start({ env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-hidden' } });
      // A second, idle connection must not hold the server up.
      const agent = new Agent({ keepAlive: true });
      onTestFinished(() => {
        agent.destroy();
      });
      const idle = request(`${server.url}/health`, { agent });
      idle.end();
      const [health] = (await once(idle, 'response')) as [IncomingMessage];
      health.resume();
      await once(health, 'end');

      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        body: '{"stream":true}',
      });
      const stopped = server.stop(signal);
      await expect
        .poll(() =>
          fetch(`${server.url}/health`).then(
            () => 'taken',
            () => 'refused',
          ),
        )
        .toBe('refused');
      const text = await response.text();
      expect(text).toContain('"19 "');
      expect(text).toContain(DONE.trim());
      expect(await stopped).toBe(0);
    },
  );

  it('cuts what does not end within CCC_SHUTDOWN_MS, and still ends with 0', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    upstream.on('/chat/completions', rawBytes([chunk({ content: 'a' })], { end: 'hang' }));
    const server = await start({ env: { OPENAI_BASE_URL: upstream.baseUrl, CCC_SHUTDOWN_MS: '300' } });
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    const begun = performance.now();
    const [code, text] = await Promise.all([server.stop(), response.text().catch(() => 'cut')]);
    expect({ code, text }).toEqual({ code: 0, text: 'cut' });
    expect(performance.now() - begun).toBeLessThan(2_000);
    // The upstream is not left working for nobody.
    await (
      await upstream.call(1)
    ).aborted;
  });

  it('is at once on a second signal', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    upstream.on('/chat/completions', rawBytes([chunk({ content: 'a' })], { end: 'hang' }));
    const server = await start({ env: { OPENAI_BASE_URL: upstream.baseUrl, CCC_SHUTDOWN_MS: '60000' } });
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    const cut = response.text().catch(() => 'cut');
    const stopped = server.stop('SIGTERM');
    await expect
      .poll(() =>
        fetch(server.url).then(
          () => 'taken',
          () => 'refused',
        ),
      )
      .toBe('refused');
    server.child.kill('SIGINT');
    expect(await stopped).toBe(1);
    expect(await cut).toBe('cut');
  });

  it('stops a cycle at its step boundary, tells the client so, and the record knows it after the next start', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    upstream.on(role('guidance'), completion({ content: 'Be brief.' })).on(role('draft'), hang());
    const dataDir = join(folder(), 'data');
    const env = { OPENAI_BASE_URL: upstream.baseUrl, CCC_SHUTDOWN_MS: '1000' };
    const first = await start({ dataDir, env });
    const post = async (url: string, body: object) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const session = await post(`${first.url}/api/v2/sessions`, {});
    const answer = post(`${first.url}/v2/chat/completions`, {
      model: 'm',
      session_id: session.body['session_id'],
      messages: [{ role: 'user', content: 'Say hello.' }],
    });
    await upstream.call(2);
    expect(await first.stop()).toBe(0);
    const { status, body } = await answer;
    expect(status).toBe(503);
    expect(body).toMatchObject({ error: { code: 'shutting_down' } });

    const second = await start({ dataDir, env });
    const list = await fetch(`${second.url}/api/v2/sessions/${String(session.body['session_id'])}/cycles`);
    const { data } = (await list.json()) as { data: { outcome: string | null }[] };
    expect(data).toMatchObject([{ outcome: 'drained' }]);
    // Not one call after the stop.
    expect(upstream.calls).toHaveLength(2);
    expect(await second.stop()).toBe(0);
  });
});
