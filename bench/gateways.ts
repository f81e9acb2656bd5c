/**
 * What stands between a client and its upstream, side by side: nothing, plain node:http, CCC's `/v1`, and Portkey's
 * gateway where a folder has it. Paired: each round asks every target in turn, so that the machine's drift cancels;
 * ratios are taken within a round. Printed are medians and, in brackets, the lowest and highest round.
 *
 *     npm run build && npm run bench:gateways -- [--rounds 5] [--ms 2000] [--connections 1,32,100] [--others folder]
 *
 * `folder`: one in which `npm install @portkey-ai/gateway` was run.
 */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Load, LoadResult } from './gateways/client.ts';
import { processorTime, residentMegabytes, startHelper } from './gateways/processes.ts';
import { cccV1, direct, plainProxy, portkey, type Target } from './gateways/targets.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '1,32,100' },
    others: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const forMs = Number(flags.ms);

/** What one target did in one round. */
interface Measure extends LoadResult {
  perSecond: number;
  bytesPerSecond: number;
  cpuMicroseconds: number;
}

const upstream = await startHelper('upstream.ts');
const client = await startHelper('load.ts');
const targets: Target[] = [
  direct(upstream.port),
  await plainProxy(upstream.port),
  await cccV1(upstream.port),
];
const other = await portkey(flags.others, upstream.port);
if (other) targets.push(other);
else console.log('Portkey is left out: give --others a folder in which @portkey-ai/gateway is installed.\n');

const scenarios = flags.connections
  .split(',')
  .flatMap((connections) => [false, true].map((stream) => ({ connections: Number(connections), stream })));
const all: Record<string, Record<string, Measure[]>> = {};
try {
  for (const [at, scenario] of scenarios.entries()) {
    const title = `${String(scenario.connections)} connection${scenario.connections === 1 ? '' : 's'}, ${scenario.stream ? 'a stream of 50 chunks' : '1 kB of JSON'}`;
    const measured: Record<string, Measure[]> = {};
    for (let round = -1; round < rounds; round += 1) {
      process.stderr.write(
        `\r${String(at + 1)} of ${String(scenarios.length)}: ${title}, ${round < 0 ? 'warming up' : `round ${String(round + 1)} of ${String(rounds)}`}      `,
      );
      for (const target of targets) {
        const measure = await ask(target, scenario, round < 0 ? Math.min(forMs, 1000) : forMs);
        if (round >= 0) (measured[target.name] ??= []).push(measure);
      }
    }
    process.stderr.write('\r'.padEnd(78) + '\r');
    all[title] = measured;
    print(title, measured);
  }
} finally {
  await Promise.all(targets.map((target) => target.stop()));
  upstream.child.kill();
  client.child.kill();
}
mkdirSync('bench/results', { recursive: true });
const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
writeFileSync('bench/results/gateways.json', JSON.stringify({ machine, rounds, forMs, all }, null, 1));
console.log(
  `\n${machine.cpu}, ${String(machine.cores)} cores, Node ${machine.node}; all processes on this machine. Written: bench/results/gateways.json`,
);

async function ask(
  target: Target,
  { connections, stream }: { connections: number; stream: boolean },
  ms: number,
) {
  const load: Load = {
    port: target.port,
    path: target.path,
    headers: target.headers,
    bodies: [
      JSON.stringify({
        model: 'bench',
        stream,
        messages: [{ role: 'user', content: 'Where does the violin teacher live? '.repeat(8) }],
      }),
    ],
    connections,
    forMs: ms,
  };
  const pid = target.child?.pid;
  const before = pid === undefined ? 0 : processorTime(pid);
  client.child.send(load);
  const [answer] = (await once(client.child, 'message')) as [{ result?: LoadResult; error?: string }];
  if (!answer.result) throw new Error(`${target.name}: ${answer.error ?? 'no result'}`);
  const { result } = answer;
  const used = pid === undefined ? 0 : processorTime(pid) - before;
  if (Object.keys(result.failures).length > 0) {
    throw new Error(`${target.name} answered ${JSON.stringify(result.failures)}`);
  }
  return {
    ...result,
    perSecond: (1000 * result.requests) / result.elapsedMs,
    bytesPerSecond: (1000 * result.bytes) / result.elapsedMs,
    cpuMicroseconds: used / result.requests,
  } satisfies Measure;
}

function print(title: string, measured: Record<string, Measure[]>): void {
  const base = measured['direct'] ?? [];
  const table: Record<string, Record<string, string>> = {};
  for (const target of targets) {
    const own = measured[target.name] ?? [];
    const same = own.every((measure, i) => measure.firstBody === base[i]?.firstBody);
    if (target.faithful && !same) throw new Error(`${target.name} changed the answer.`);
    table[target.name] = {
      'requests/s': spread(
        own.map((measure) => measure.perSecond),
        0,
      ),
      '× direct': spread(
        own.map((measure, i) => measure.perSecond / (base[i]?.perSecond ?? 1)),
        3,
      ),
      'CPU µs a request': target.child
        ? spread(
            own.map((measure) => measure.cpuMicroseconds),
            0,
          )
        : '',
      'first byte, ms over direct': spread(
        own.map((measure, i) => measure.firstByte.p50 - (base[i]?.firstByte.p50 ?? 0)),
        2,
      ),
      'p99 ms': spread(
        own.map((measure) => measure.whole.p99),
        1,
      ),
      MB: target.child?.pid === undefined ? '' : residentMegabytes(target.child.pid).toFixed(0),
      'bytes as sent': same ? 'yes' : 'no',
    };
  }
  console.log(title);
  console.table(table);
}

function spread(values: number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0, middle = 0, high = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `${middle.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
