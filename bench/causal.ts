/**
 * Causal memory, measured: `npm run bench:causal -- [folder of CausalEval graphs] [--no-scale]`.
 * 1. Do causes reach the judge, and does `why` give the chain? All graphs in one session, one node of each in turn,
 *    with a judge that answers from the graphs' own edges. No embeddings, no tags, no conversations.
 * 2. What do questions cost with 100,000 events in a session, and with a million in the projection?
 */
import { evaluate, roundRobin, type Evaluation, type Tally } from './causal/evaluate.ts';
import { readGraphs, type EvalGraph } from './causal/graphs.ts';
import { measureScale } from './causal/scale.ts';

const folder =
  process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? '../shared/evaluation/causal-eval';
let graphs: EvalGraph[] = [];
try {
  graphs = readGraphs(folder);
} catch (error) {
  console.error(`${(error as Error).message} Name the folder: npm run bench:causal -- <folder>`);
  process.exit(1);
}

const share = ({ right, of }: { right: number; of: number }) =>
  `${String(right)}/${String(of)}${of > 0 ? ` (${((100 * right) / of).toFixed(1)} %)` : ''}`;
const sum = (tally: Tally, names: string[]) =>
  names.reduce(
    (all, name) => ({ right: all.right + (tally[name]?.right ?? 0), of: all.of + (tally[name]?.of ?? 0) }),
    { right: 0, of: 0 },
  );
const causes = ({ edges }: Evaluation) => sum(edges, ['caused', 'enabled', 'prevented']);

console.log(`CausalEval: ${String(graphs.length)} graphs from ${folder}, oracle judge, no embeddings\n`);
const main = await evaluate(graphs, roundRobin());
const { counts, edges, questions } = main;
console.log(`events                                ${String(main.events)}`);
console.log(`caused, enabled, prevented found      ${share(causes(main))}   to beat: 95 %`);
for (const [relation, tally] of Object.entries(edges)) console.log(`  ${relation.padEnd(36)}${share(tally)}`);
console.log(`judge calls an event                  ${(counts.calls / main.events).toFixed(2)}   at most 1`);
console.log(
  `candidates a call                     ${(counts.candidates / Math.max(1, counts.calls)).toFixed(1)}, most ${String(counts.most)}   at most 8`,
);
const asked: [string, string][] = [
  ['11', 'root cause: the chain of why(event), exact'],
  ['12', 'what would happen again: end of effects(event)'],
  ['14', 'what prevented it: prevented_by(event)'],
  ['15', 'which came first: timeline(question)'],
  ['17', 'what is believed now: superseded_by(decision)'],
];
for (const [category, how] of asked) {
  console.log(`category ${category}  ${how.padEnd(50)} ${share(questions[category] ?? { right: 0, of: 0 })}`);
}
for (const line of main.missed) console.log(`  missed: ${line}`);

console.log('\nother orders and other speakers (is it only this order?)');
for (const seed of [1, 2, 3]) {
  const other = await evaluate(graphs, anyOrder(seed));
  console.log(
    `any order, seed ${String(seed)}       causes ${share(causes(other))}, chains ${share(other.questions['11'] ?? { right: 0, of: 0 })}`,
  );
}
for (const people of [3, 2]) {
  const other = await evaluate(
    graphs.map((graph) => ({
      ...graph,
      nodes: graph.nodes.map((node) => ({ ...node, person: `Person ${String(graph.id % people)}` })),
    })),
    roundRobin(),
  );
  console.log(
    `only ${String(people)} people            causes ${share(causes(other))}, chains ${share(other.questions['11'] ?? { right: 0, of: 0 })}`,
  );
}
for (const times of [2, 4]) {
  // The same words again and again, each time of other people.
  const crowd = Array.from({ length: times }, (_, copy) =>
    graphs.map((graph) => ({
      ...graph,
      nodes: graph.nodes.map((node) => ({ ...node, person: `${node.person} ${String(copy)}` })),
    })),
  ).flat();
  const other = await evaluate(crowd, roundRobin());
  console.log(
    `told ${String(times)} times, each by others   causes ${share(causes(other))}, superseded ${share(other.edges['superseded'] ?? { right: 0, of: 0 })}, chains ${share(other.questions['11'] ?? { right: 0, of: 0 })}`,
  );
}
if (!process.argv.includes('--no-scale')) await measureScale();

/** A stream in which each next node is of any graph that has one left. */
function anyOrder(seed: number): (open: number[]) => number {
  let state = seed;
  return (open) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return open[state % open.length] ?? 0;
  };
}
