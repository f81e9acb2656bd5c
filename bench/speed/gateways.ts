/**
 * What stands between a client and its upstream, side by side. Paired: each round asks every target in turn, so that the
 * machine's drift cancels; ratios are taken within a round.
 */
import type { ChildProcess } from 'node:child_process';
import type { LoadResult } from './client.ts';
import type { Figure } from './figures.ts';
import { ask, processorTime, residentMegabytes } from './processes.ts';
import { progress } from './progress.ts';
import { shown, spreadOf, type Spread } from './spread.ts';
import { PORTKEY, type Target } from './targets.ts';

/** What one target did in one round. */
interface Measure extends LoadResult {
  perSecond: number;
  cpuMicroseconds: number;
}

/** What one target did in one scenario. */
export interface GatewayRow {
  target: string;
  connections: number;
  stream: boolean;
  requestsPerSecond: Spread;
  /** The same, over that of nothing in between. Of streams that is the ratio of chunks too. */
  ofDirect: Spread;
  /** Processor time of the target's process, with all its threads. Null where there is none. */
  cpuMicroseconds: Spread | null;
  /** Requests a second over those of Portkey; null without it. */
  ofPortkey: Spread | null;
  firstByteOverDirectMs: Spread;
  p99Ms: Spread;
  residentMegabytes: number | null;
  /** Whether the bytes were those of the upstream. */
  asSent: boolean;
}

export async function measureGateways(
  client: ChildProcess,
  targets: readonly Target[],
  {
    rounds,
    forMs,
    warmMs,
    connections,
  }: { rounds: number; forMs: number; warmMs: number; connections: readonly number[] },
): Promise<GatewayRow[]> {
  const rows: GatewayRow[] = [];
  await warmUp(client, targets, warmMs);
  const scenarios = connections.flatMap((each) =>
    [false, true].map((stream) => ({ connections: each, stream })),
  );
  for (const [at, scenario] of scenarios.entries()) {
    const measured = new Map(targets.map((target) => [target, [] as Measure[]]));
    const bodies = new Map<Target, string[]>();
    for (const target of targets) bodies.set(target, await bodiesFor(target, scenario));
    for (let round = -1; round < rounds; round += 1) {
      const words = round < 0 ? 'warming up' : `round ${String(round + 1)} of ${String(rounds)}`;
      progress(`${String(at + 1)} of ${String(scenarios.length)}: ${titleOf(scenario)}, ${words}`);
      for (const target of targets) {
        const measure = await measureOne(client, target, {
          connections: scenario.connections,
          bodies: bodies.get(target) ?? [],
          forMs: round < 0 ? forMs / 4 : forMs,
        });
        if (round >= 0) measured.get(target)?.push(measure);
      }
    }
    progress('');
    const found = rowsOf(scenario, measured);
    rows.push(...found);
    print(titleOf(scenario), found);
  }
  return rows;
}

/** Code that has run a few times is slower than code that has run often: for each target, before anything is measured. */
async function warmUp(client: ChildProcess, targets: readonly Target[], forMs: number): Promise<void> {
  const scenario = { connections: 32, stream: false };
  for (const target of targets) {
    progress(`warming up ${target.name}`);
    for (const stream of [false, true]) {
      const bodies = await bodiesFor(target, { ...scenario, stream });
      await measureOne(client, target, { ...scenario, bodies, forMs: forMs / 2 });
    }
  }
}

interface Scenario {
  connections: number;
  stream: boolean;
}

/** A scenario in words. */
export function titleOf({ connections, stream }: Scenario): string {
  return `${String(connections)} connection${connections === 1 ? '' : 's'}, ${stream ? 'a stream of 50 chunks' : '1 kB of JSON'}`;
}

async function bodiesFor(target: Target, { connections, stream }: Scenario): Promise<string[]> {
  const messages = [{ role: 'user', content: `${'Where does the violin teacher live? '.repeat(8)}NUMBER` }];
  const fields = (await target.fields?.(connections)) ?? [{}];
  return fields.map((each) => JSON.stringify({ model: 'bench', stream, messages, ...each }));
}

async function measureOne(
  client: ChildProcess,
  target: Target,
  load: { connections: number; bodies: string[]; forMs: number },
): Promise<Measure> {
  const { port, path, headers, child } = target;
  const before = child?.pid === undefined ? 0 : processorTime(child.pid);
  const result = await ask(client, { port, path, headers, ...load });
  const used = child?.pid === undefined ? 0 : processorTime(child.pid) - before;
  return {
    ...result,
    perSecond: (1000 * result.requests) / result.elapsedMs,
    cpuMicroseconds: used / result.requests,
  };
}

function rowsOf(scenario: Scenario, measured: ReadonlyMap<Target, Measure[]>): GatewayRow[] {
  const [base = []] = measured.values();
  const portkey = [...measured].find(([target]) => target.name === PORTKEY)?.[1];
  return [...measured].map(([target, own]) => {
    const asSent = own.every(({ firstBody }, round) => firstBody === base[round]?.firstBody);
    if (target.faithful && !asSent) throw new Error(`${target.name} changed the answer.`);
    const of = (value: (measure: Measure, direct: Measure) => number) =>
      spreadOf(own.map((measure, round) => value(measure, base[round] ?? measure)));
    const pid = target.child?.pid;
    return {
      target: target.name,
      ...scenario,
      requestsPerSecond: of(({ perSecond }) => perSecond),
      ofDirect: of(({ perSecond }, direct) => perSecond / direct.perSecond),
      ofPortkey:
        portkey === undefined
          ? null
          : spreadOf(own.map(({ perSecond }, round) => perSecond / (portkey[round]?.perSecond ?? NaN))),
      cpuMicroseconds: pid === undefined ? null : of(({ cpuMicroseconds }) => cpuMicroseconds),
      firstByteOverDirectMs: of(({ firstByte }, direct) => firstByte.p50 - direct.firstByte.p50),
      p99Ms: of(({ whole }) => whole.p99),
      residentMegabytes: pid === undefined ? null : residentMegabytes(pid),
      asSent,
    };
  });
}

function print(title: string, rows: readonly GatewayRow[]): void {
  console.log(title);
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.target,
        {
          'requests/s': shown(row.requestsPerSecond, 0),
          '× direct': shown(row.ofDirect, 3),
          'CPU µs a request': row.cpuMicroseconds ? shown(row.cpuMicroseconds, 0) : '',
          'first byte, ms over direct': shown(row.firstByteOverDirectMs, 2),
          'p99 ms': shown(row.p99Ms, 1),
          MB: row.residentMegabytes?.toFixed(0) ?? '',
          'bytes as sent': row.asSent ? 'yes' : 'no',
        },
      ]),
    ),
  );
}

/** What `/v1` is to reach. */
export function gatewayFigures(rows: readonly GatewayRow[]): Figure[] {
  const row = (target: string, connections: number, stream: boolean) =>
    rows.find((each) => each.target === target && each.connections === connections && each.stream === stream);
  const figures: Figure[] = [];
  const many = row('CCC /v1', 32, false);
  const manyStreams = row('CCC /v1', 32, true);
  const one = row('CCC /v1', 1, true);
  if (many?.cpuMicroseconds) {
    figures.push({
      name: '/v1: processor time a request, 32 connections',
      limit: { most: 130 },
      unit: 'µs',
      got: many.cpuMicroseconds,
      digits: 0,
    });
  }
  if (many?.ofPortkey) {
    figures.push({
      name: '/v1: requests a second over Portkey’s, 32 connections',
      limit: { least: 5 },
      unit: 'times',
      got: many.ofPortkey,
      digits: 1,
    });
  }
  if (one) {
    figures.push({
      name: '/v1: first chunk over direct, 1 connection',
      limit: { most: 0.5 },
      unit: 'ms',
      got: one.firstByteOverDirectMs,
      digits: 2,
    });
    figures.push({
      name: '/v1: chunks a second of direct’s, 1 connection',
      limit: { least: 0.34 },
      unit: '×',
      got: one.ofDirect,
      digits: 3,
    });
  }
  if (manyStreams) {
    figures.push({
      name: '/v1: chunks a second of direct’s, 32 connections',
      limit: { least: 0.34 },
      unit: '×',
      got: manyStreams.ofDirect,
      digits: 3,
    });
  }
  return figures;
}
