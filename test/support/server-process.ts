import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface RunningServer {
  url: string;
  port: number;
  dataDir: string;
  child: ChildProcess;
  /** Everything the process has written so far. */
  stdout(): string;
  stderr(): string;
  /** Ends it with a signal and resolves with its exit code (null when the signal killed it). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface StartOptions {
  env?: Record<string, string>;
  /** Kept by the caller when given; otherwise made here and removed by `stop`. */
  dataDir?: string;
  /** Told how to end it as soon as the process is there, which is before it listens. */
  spawned?: (stop: RunningServer['stop']) => void;
}

/**
 * Starts the built server as a person would, as a process of its own, on a free port. The environment is the test's
 * alone: no setting of the machine that runs it leaks in.
 */
export async function startServerProcess(options: StartOptions = {}): Promise<RunningServer> {
  const ownFolder = options.dataDir === undefined;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ccc-test-')));
  const child = spawn(process.execPath, ['dist/src/main.js'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      PORT: '0',
      LOG_LEVEL: 'info',
      CCC_DATA_DIR: dataDir,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr.on('data', (part: Buffer) => (err += part.toString('utf8')));
  const exited = new Promise<number | null>((done) => {
    child.once('exit', (code) => {
      done(code);
    });
  });
  const stop: RunningServer['stop'] = async (signal = 'SIGTERM') => {
    child.kill(signal);
    const code = await exited;
    if (ownFolder) await rm(dataDir, { recursive: true, force: true });
    return code;
  };
  options.spawned?.(stop);
  const listening = new Promise<string>((found, failed) => {
    void exited.then((code) => {
      failed(new Error(`The server ended with code ${String(code)} before it listened:\n${err}`));
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      out += `${line}\n`;
      const match = /http:\/\/[\w.:[\]]+:\d+/.exec(line);
      if (match) found(match[0]);
    });
  });
  const url = await listening.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    url,
    port: Number(new URL(url).port),
    dataDir,
    child,
    stdout: () => out,
    stderr: () => err,
    stop,
  };
}
