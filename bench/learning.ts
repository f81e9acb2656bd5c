/**
 * What learning is worth: task families with a hidden trap, and a scripted upstream whose executor falls in unless his
 * prompt holds the lesson's meaning. Cycles, record, learning and choosing are the real ones; only the models are played.
 *
 *     npm run bench:learning [-- --seeds 8 --tasks 80]
 *
 * All arms meet the same tasks with the same luck. Intervals: bootstrap over seeds, 95 %.
 */
import { parseArgs } from 'node:util';
import { newId } from '../src/base/ids.ts';
import { lessonHash } from '../src/memory/lessons/lesson-words.ts';
import type { GivenLesson } from '../src/covenant/learning/given-lessons.ts';
import { learn } from '../test/covenant/learning/support.ts';
import { openBench, type Bench } from '../test/covenant/support.ts';
import { bootstrap, meanOf, shown, type Interval } from './learning/statistics.ts';
import { chance, directiveOf, FAMILIES, openWorld, POISON, type Task } from './learning/world.ts';

const ARMS = ['cold', 'retry only', 'learned', 'placebo', 'poisoned', 'changed world'] as const;
type Arm = (typeof ARMS)[number];

/** As long as what is learned, for the same work, and of no use. */
const PLACEBO = 'Mention the weather of the harbour in closing.';

interface TaskResult {
  task: Task;
  firstPass: boolean;
  rounds: number;
  tokens: number;
  /** Lessons that the draft was given, by their words. */
  given: string[];
  /** A lesson for this family was there and might have been given. */
  couldKnow: boolean;
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '8' }, tasks: { type: 'string', default: '80' } },
});
const seeds = Number(values.seeds);
const tasks = Number(values.tasks);

function taskOf(seed: number, number: number, arm: Arm): Task {
  const at = Math.floor(chance(seed, number, 'family') * FAMILIES.length);
  const family = FAMILIES[at];
  if (!family) throw new Error('no family');
  return { seed, number, family, changed: arm === 'changed world' && number >= tasks / 2 };
}

async function prepare(arm: Arm, { dal, memory, sessionId }: Bench): Promise<string | null> {
  if (arm === 'placebo') {
    for (const { directive } of FAMILIES) {
      // Each its own words, or they would be one lesson.
      const text = `${PLACEBO} This is for: ${directive}`;
      await memory.addLesson({ sessionId, agent: 'codey', text, trigger: directive });
    }
  }
  if (arm !== 'poisoned') return null;
  const plain = FAMILIES.find(({ name }) => name === 'plain');
  const poison = {
    lessonId: newId('les'),
    agent: 'codey' as const,
    trigger: plain?.directive ?? '',
    text: POISON,
    status: 'active' as const,
    pinned: false,
    author: 'model' as const,
    evidence: [],
    hash: lessonHash(POISON),
  };
  return (await dal.lessons.add(sessionId, poison, Date.now())).lessonId;
}

interface RunResult {
  results: TaskResult[];
  /** Tasks of its family until the false lesson was out of use; null when it never was. */
  untilRetired: number | null;
}

async function runArm(arm: Arm, seed: number): Promise<RunResult> {
  const world = await openWorld(taskOf(seed, 0, arm));
  const bench = await openBench(world.upstream);
  const { dal, memory, cycles, sessionId, conversationId } = bench;
  const poison = await prepare(arm, bench);
  const learns = arm === 'learned' || arm === 'poisoned' || arm === 'changed world';
  const results: TaskResult[] = [];
  let untilRetired: number | null = null;
  let poisoned = 0;
  // The poison is measured on its own family: three times the tasks, all of it.
  const count = arm === 'poisoned' ? tasks * 3 : tasks;
  for (let number = 0; number < count; number += 1) {
    const task = taskOf(seed, number, arm);
    const plain = FAMILIES.find(({ name }) => name === 'plain');
    if (arm === 'poisoned' && plain) task.family = plain;
    world.task = task;
    world.prompts = [];
    const directive = directiveOf(task);
    const context =
      arm === 'cold' || arm === 'retry only'
        ? null
        : await memory.buildContext({
            sessionId,
            conversationId,
            directive,
            maxTurns: 0,
            maxTokens: 200,
            includeAgentState: true,
            includeCausal: false,
            alreadySent: [],
          });
    const known = await dal.lessons.active(sessionId, 300);
    const run = await cycles.start(
      bench.input({
        directive,
        request: { model: 'played', messages: [{ role: 'user', content: directive }] },
        options: { maxRounds: arm === 'cold' ? 0 : 3, maxTotalTokens: null, criteria: [] },
        context: context ? { ...context, prompt: null } : null,
      }),
    );
    const result = await run.done;
    const { cycle } = await cycles.get(result.cycleId);
    const lessons = (cycle.request['lessons'] ?? []) as unknown as GivenLesson[];
    const withheld = lessons.some(({ given }) => !given);
    results.push({
      task,
      firstPass: result.verdicts[0]?.decision === 'approve',
      rounds: result.rounds,
      tokens: result.usage.total_tokens,
      given: lessons.filter(({ given }) => given).map(({ line }) => line),
      couldKnow: !withheld && known.some(({ text }) => task.family.meaning.test(text)),
    });
    if (learns) await learn(dal);
    if (poison === null) continue;
    poisoned += 1;
    if (untilRetired === null && (await dal.lessons.get(sessionId, poison))?.status !== 'active') {
      untilRetired = poisoned;
    }
  }
  await bench.close();
  await world.upstream.close();
  return { results, untilRetired };
}

const trapped = ({ task }: Pick<TaskResult, 'task'>) => task.family.fixes.length > 0;
const firstPass = (results: TaskResult[]) => meanOf(results.map((each) => Number(each.firstPass)));

async function main(): Promise<void> {
  const bySeed = new Map<Arm, RunResult[]>();
  for (const arm of ARMS) {
    const runs: RunResult[] = [];
    for (let seed = 1; seed <= seeds; seed += 1) runs.push(await runArm(arm, seed));
    bySeed.set(arm, runs);
  }
  const per = (arm: Arm, figure: (results: TaskResult[]) => number): number[] =>
    (bySeed.get(arm) ?? []).map(({ results }) => figure(results));
  const line = (...cells: string[]) => {
    console.log(`| ${cells.join(' | ')} |`);
  };
  console.log(`${String(seeds)} seeds, ${String(tasks)} tasks each\n`);
  line('arm', 'first pass, with a trap', 'first pass, without', 'drafts', 'tokens');
  line('---', '---:', '---:', '---:', '---:');
  for (const arm of ARMS.filter((each) => each !== 'poisoned')) {
    const of = (figure: (results: TaskResult[]) => number): Interval => bootstrap(per(arm, figure));
    line(
      arm,
      shown(of((results) => firstPass(results.filter(trapped)))),
      shown(of((results) => firstPass(results.filter((each) => !trapped(each))))),
      shown(of((results) => meanOf(results.map(({ rounds }) => rounds)))),
      shown(
        of((results) => meanOf(results.map(({ tokens }) => tokens))),
        0,
      ),
    );
  }
  const better = (than: Arm): string => {
    const [one, other] = ['learned' as const, than].map((arm) =>
      per(arm, (r) => firstPass(r.filter(trapped))),
    );
    return shown(bootstrap((one ?? []).map((value, at) => value - (other?.[at] ?? 0))));
  };
  console.log(`\nlearned against retry only: ${better('retry only')}, against placebo: ${better('placebo')}`);
  const plainOf = (arm: Arm) => per(arm, (results) => firstPass(results.filter((each) => !trapped(each))));
  const cold = plainOf('cold');
  const unrelated = plainOf('learned').map((value, at) => value - (cold[at] ?? 0));
  console.log(`unrelated tasks, learned against cold: ${shown(bootstrap(unrelated))}`);
  // Tasks without a trap go wrong by chance now and then, and teach something of their own.
  const isRight = ({ task }: TaskResult, given: string) =>
    (trapped({ task }) ? task.family.meaning : /museum names/u).test(given);
  const precision = per('learned', (results) =>
    meanOf(results.flatMap((each) => each.given.map((given) => Number(isRight(each, given))))),
  );
  const recall = per('learned', (results) =>
    meanOf(
      results
        .filter(({ couldKnow }) => couldKnow)
        .map((each) => Number(each.given.some((given) => isRight(each, given)))),
    ),
  );
  console.log(`right lessons: precision ${shown(bootstrap(precision))}, recall ${shown(bootstrap(recall))}`);
  const runs = bySeed.get('poisoned') ?? [];
  const until = runs.flatMap(({ untilRetired }) => (untilRetired === null ? [] : [untilRetired]));
  console.log(
    `false lesson out of use in ${String(until.length)} of ${String(runs.length)} runs, after ${shown(bootstrap(until), 0)} tasks of its kind`,
  );
  const afterwards = (from: number, to: number) =>
    shown(
      bootstrap(
        per('changed world', (results) =>
          firstPass(
            results.filter((each) => trapped(each) && each.task.number >= from && each.task.number < to),
          ),
        ),
      ),
    );
  const half = tasks / 2;
  console.log(
    `changed world, first pass: ${afterwards(half / 2, half)} before, ${afterwards(half, half * 1.5)} in the quarter after, ${afterwards(half * 1.5, tasks)} in the last`,
  );
}

await main();
