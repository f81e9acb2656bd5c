import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Random } from '../fuzz/random.ts';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { checkFile, checkRecord } from './check.ts';
import { Ledger } from './ledger.ts';
import { Client } from './load.ts';
import { startMoodyUpstream } from './upstream.ts';

export interface SoakOptions {
  seconds: number;
  seed: number;
  clients?: number;
  /** Longest time between two kills, in milliseconds. */
  killEveryMs?: number;
  progress?: (what: string) => void;
}

export interface Figures {
  openFiles: number;
  heapMegabytes: number;
  residentMegabytes: number;
}

export interface SoakResult {
  faults: string[];
  counts: Record<string, number>;
  kills: number;
  /** What was held against the acknowledgements. */
  checked: { turns: number; sessions: number };
  /** Of a server that was not killed any more, at rest: warm, half-way, at the end. */
  figures: Figures[];
}

/** Of the time, the part in which the server is killed again and again; then it is watched for what it gathers. */
const KILLING = 0.5;
/** What may be more at the end than when it was warm, or than half-way. */
const MORE = { openFiles: 20, heapMegabytes: 25, residentMegabytes: 120 };
const GARBAGE = fileURLToPath(new URL('../fuzz/collect-garbage.cjs', import.meta.url));
/** Until the background work has ended, at most, in milliseconds. */
const SETTLE_MS = 4_000;

/** Mixed load on the built server, with an upstream that fails, clients that hang up, and `kill -9` now and then. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { seconds, seed, clients = 8, killEveryMs = 12_000, progress = () => undefined } = options;
  const ledger = new Ledger();
  const dataDir = await mkdtemp(join(tmpdir(), 'ccc-soak-'));
  const upstream = await startMoodyUpstream(new Random(seed, 0));
  const env = {
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'sk-of-the-soaked-upstream',
    OPENAI_TIMEOUT_MS: '1500',
    OPENAI_MAX_RETRIES: '1',
    CCC_SUMMARY_TRIGGER_TOKENS: '2000',
    CCC_FACTS: 'on',
    CCC_FACTS_MAX_CALLS_PER_MINUTE: '10000',
    CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '10000',
    LOG_LEVEL: 'error',
    NODE_OPTIONS: `--require ${GARBAGE}`,
  };
  let server: RunningServer | null = null;
  let gate = new Gate();
  const start = async () => {
    server = await startServerProcess({ env, dataDir });
    gate.open();
    return server;
  };
  const target = { url: () => server?.url ?? '', up: () => gate.opened };
  const crew = Array.from(
    { length: clients },
    (_, at) => new Client(`client ${String(at + 1)}`, new Random(seed, at + 1), target, ledger),
  );
  const load = async (work: () => Promise<unknown>) => {
    const stopping = new AbortController();
    const running = crew.map((client) => client.run(stopping.signal));
    await work();
    stopping.abort();
    await Promise.all(running);
  };
  const errors: string[] = [];
  const end = async (running: RunningServer, signal: NodeJS.Signals) => {
    const code = await running.stop(signal);
    errors.push(running.stderr());
    return code;
  };

  let kills = 0;
  try {
    const random = new Random(seed, 1_000_000);
    const until = performance.now() + seconds * KILLING * 1000;
    let running = await start();
    await load(async () => {
      while (performance.now() < until) {
        await wait(Math.min(until - performance.now(), 1_000 + random.int(killEveryMs - 1_000)));
        gate = new Gate();
        if (running.child.exitCode !== null) ledger.fault('the server has ended by itself');
        await end(running, 'SIGKILL');
        kills += 1;
        running = await start();
        progress(`killed ${String(kills)} times; ${JSON.stringify(ledger.counts)}`);
      }
    });

    const figures: Figures[] = [];
    const slice = (seconds * (1 - KILLING) * 1000) / 3;
    for (let part = 0; part < 3; part += 1) {
      await load(() => wait(slice));
      await settled(running.url);
      figures.push(await figuresOf(running));
      progress(JSON.stringify(figures.at(-1)));
    }
    checkFlat(figures, ledger);

    // What was acknowledged a moment ago has to be there after the hardest end.
    await load(async () => {
      await wait(500);
      gate = new Gate();
      await end(running, 'SIGKILL');
      kills += 1;
      running = await start();
    });
    const checked = await checkRecord(running.url, ledger);
    const code = await end(running, 'SIGTERM');
    if (code !== 0) ledger.fault(`the last server ended with ${String(code)}`);
    checkFile(dataDir, ledger);
    const fatal = errors.join('').match(/^.*(?:"level":"fatal"|unhandled|uncaught).*$/im);
    if (fatal) ledger.fault(fatal[0]);
    return { faults: ledger.faults, counts: ledger.counts, kills, checked, figures };
  } finally {
    const last = server as RunningServer | null;
    if (last?.child.exitCode === null && last.child.signalCode === null) await last.stop('SIGKILL');
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Closed while no server is up. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

function checkFlat(figures: Figures[], ledger: Ledger): void {
  const [warm, half, last] = figures;
  if (!warm || !half || !last) return;
  const grown =
    last.openFiles > warm.openFiles + MORE.openFiles ||
    last.heapMegabytes > half.heapMegabytes + MORE.heapMegabytes ||
    last.residentMegabytes > half.residentMegabytes + MORE.residentMegabytes;
  if (grown) ledger.fault(`not flat: ${JSON.stringify(figures)}`);
}

/** Waits until nothing is done in the background; what has failed waits for a later time. */
async function settled(url: string): Promise<void> {
  const latest = performance.now() + SETTLE_MS;
  for (let quiet = 0; quiet < 3 && performance.now() < latest;) {
    const { jobs } = (await (await fetch(`${url}/api/v2/status`)).json()) as { jobs: { state: string }[] };
    quiet = jobs.some(({ state }) => state === 'running') ? 0 : quiet + 1;
    await wait(100);
  }
}

/** At rest and after a collection of garbage. */
async function figuresOf(server: RunningServer): Promise<Figures> {
  await wait(1_000);
  server.child.kill('SIGUSR2');
  await wait(500);
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const read = (name: string) =>
    Number(new RegExp(`^${name} ([\\d.e+]+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const status = await readFile(`/proc/${String(server.child.pid)}/status`, 'utf8').catch(() => '');
  return {
    openFiles: read('process_open_fds'),
    heapMegabytes: Math.round(read('nodejs_heap_size_used_bytes') / 1e6),
    residentMegabytes: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? '0') / 1024),
  };
}
