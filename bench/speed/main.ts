/**
 * Speed, side by side: what stands between a client and its upstream, what memory costs a chat, how memory is searched and
 * written beside others, and how the server starts. Prints medians and, in brackets, the lowest and the highest round; what
 * is to be reached, and whether it was. Writes bench/results/speed.json and speed.svg.
 *
 *     npm run bench [-- --quick] [--only gateways,chat,search,start] [--rounds 3] [--docs]
 *
 * `npm run bench:others` installs what it is compared with, beside the project; without it that is left out.
 * `--quick`: smaller and fewer, in less than a minute: to see that it runs, not to quote. `--docs`: writes the run into
 * docs/benchmarks.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { chatFigures, measureChat } from './chat.ts';
import { writeDocument } from './document.ts';
import { printFigures, verdict } from './figures.ts';
import { readFlags, refuse, requireLinux, wholeNumber } from './flags.ts';
import { gatewayFigures, measureGateways } from './gateways.ts';
import { plotGateways } from './plot.ts';
import { startHelper } from './processes.ts';
import type { SpeedResults } from './results.ts';
import { endingAll, endWhenStopped } from './running.ts';
import { measureSearch } from './search.ts';
import { measureStart, startFigures } from './start.ts';
import { cccV1, cccV2, direct, plainProxy, portkey, startCcc, type Target } from './targets.ts';

const PARTS = ['gateways', 'chat', 'search', 'start'] as const;
const flags = readFlags({
  quick: { type: 'boolean', default: false },
  only: { type: 'string', default: PARTS.join(',') },
  rounds: { type: 'string' },
  docs: { type: 'boolean', default: false },
});
const only = flags.only.split(',');
const unknown = only.find((part) => !PARTS.some((each) => each === part));
if (unknown !== undefined) refuse(`--only: ${unknown} is none of ${PARTS.join(', ')}.`);
const rounds = wholeNumber('--rounds', flags.rounds ?? (flags.quick ? '1' : '3'), 1);
if (flags.docs && (flags.quick || !PARTS.every((part) => only.includes(part)))) {
  refuse('--docs takes a whole run: without --quick and --only.');
}
requireLinux();
const sizes = flags.quick
  ? {
      gateways: { rounds, forMs: 300, warmMs: 1_000, connections: [1, 32] },
      chat: { rounds, forMs: 700, warmMs: 700, turns: 2_000, sessions: 16, turnsEach: 200 },
      search: { rounds, calls: 10, turns: 2_000 },
      start: { starts: 1, idleMs: 1_000 },
      limitMs: 60_000,
    }
  : {
      gateways: { rounds, forMs: 1_200, warmMs: 4_000, connections: [1, 32, 100] },
      chat: { rounds, forMs: 2_500, warmMs: 12_000, turns: 10_000, sessions: 64, turnsEach: 1_000 },
      search: { rounds, calls: 30, turns: 10_000 },
      start: { starts: 3, idleMs: 20_000 },
      limitMs: Math.max(6, 2 * rounds) * 60_000,
    };
const begun = performance.now();
endWhenStopped(sizes.limitMs);

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGigabytes: Math.round(totalmem() / 1e9),
  node: process.version,
  loadBefore: loadavg()[0] ?? 0,
};
const described =
  `${machine.cpu}, ${String(machine.cores)} cores, ${String(machine.memoryGigabytes)} GB, Node ${machine.node}, load ` +
  `${machine.loadBefore.toFixed(1)} before; all processes on this machine; ${String(rounds)} round${rounds === 1 ? '' : 's'}` +
  (flags.quick ? '; --quick, not to quote' : '');
console.log(`${described}\n`);

const results: SpeedResults = {
  described,
  quick: flags.quick,
  date: new Date().toISOString().slice(0, 10),
  figures: [],
};
const { figures } = results;
// Each part ends what it has begun: nothing of one is still there while another is measured.
if (only.includes('start')) {
  results.start = await endingAll(() => measureStart(sizes.start.starts, sizes.start.idleMs));
  figures.push(...startFigures(results.start));
}
if (only.includes('gateways')) {
  results.gateways = await endingAll(async () => {
    const { upstream, client } = await startBothEnds();
    return measureGateways(client, await targets(upstream), sizes.gateways);
  });
  figures.push(...gatewayFigures(results.gateways));
}
if (only.includes('chat')) {
  const chat = await endingAll(async () => {
    const { upstream, client } = await startBothEnds();
    return measureChat(upstream, client, sizes.chat);
  });
  results.chat = { ...chat, sizes: sizes.chat };
  figures.push(...chatFigures(chat));
}
if (only.includes('search')) {
  const rows = await endingAll(() => measureSearch(sizes.search));
  results.search = { turns: sizes.search.turns, rows };
}
// A quick run is too short, and its sessions too small, to be judged.
if (figures.length > 0) printFigures(figures, !flags.quick);
mkdirSync('bench/results', { recursive: true });
const judged = figures.map((figure) => ({ ...figure, ...(flags.quick ? {} : { verdict: verdict(figure) }) }));
writeFileSync(
  'bench/results/speed.json',
  `${JSON.stringify({ machine, ...results, figures: judged }, null, 1)}\n`,
);
if (results.gateways) writeFileSync('bench/results/speed.svg', plotGateways(results.gateways, described));
console.log(
  `${described}; ${((performance.now() - begun) / 1000).toFixed(0)} s. Written: bench/results/speed.json` +
    (results.gateways ? ' and speed.svg' : ''),
);
if (flags.docs) await writeDocument(results);
// What was started is ended; a timer of a library need not be waited for.
process.exit(0);

/** The upstream, by its port, and the client. */
async function startBothEnds() {
  const { port: upstream } = await startHelper('upstream.ts');
  const { child: client } = await startHelper('load.ts');
  return { upstream, client };
}

async function targets(upstream: number): Promise<Target[]> {
  const plain = await plainProxy(upstream);
  const [forV1, forDirect, forCycles] = [
    await startCcc(upstream),
    await startCcc(upstream),
    await startCcc(upstream),
  ];
  const other = await portkey(upstream);
  return [
    direct(upstream),
    plain,
    cccV1(forV1),
    cccV2(forDirect, 'direct'),
    cccV2(forCycles, 'cycle'),
    ...(other ? [other] : []),
  ];
}
