import { createHash } from 'node:crypto';
import {
  startUpstream,
  role,
  streamed,
  type Upstream,
  type UpstreamCall,
} from '../../test/support/upstream.ts';

/** Tasks of one kind, with a trap that an executor falls into unless he was told. */
export interface Family {
  name: string;
  directive: string;
  /** Ways in which a reviewer says what is to be done; none for tasks without a trap. */
  fixes: readonly string[];
  /** By this a prompt is seen to hold the meaning of the lesson. */
  meaning: RegExp;
}

const NEVER = /(?!)/;

export const FAMILIES: readonly Family[] = [
  {
    name: 'report',
    directive: 'Write the monthly sales report for the board',
    fixes: [
      'Put the currency sign before every amount.',
      'Amounts need the currency sign before them.',
      'Every amount is to carry its currency sign in front.',
    ],
    meaning: /currency sign/iu,
  },
  {
    name: 'minutes',
    directive: 'Summarise the minutes of the harbour committee meeting',
    fixes: [
      'Name the chairwoman first and the absent members last.',
      'First comes the chairwoman, last come the absent members.',
    ],
    meaning: /chairwoman/iu,
  },
  {
    name: 'schedule',
    directive: 'Plan the shift schedule of the night nurses',
    fixes: ['Give all times in 24-hour notation.', 'Use 24-hour notation for shift times.'],
    meaning: /24-hour/iu,
  },
  {
    name: 'recipe',
    directive: 'Convert the bakery recipe for forty guests',
    fixes: ['Weigh flour in grams, and no cups.', 'Flour is weighed in grams, with no cups.'],
    meaning: /grams/iu,
  },
  { name: 'plain', directive: 'Translate the letter of the museum', fixes: [], meaning: NEVER },
];

/** Of drafts: how often they are right by themselves, and how often in spite of what the prompt says. */
const RIGHT_UNTOLD = 0.15;
const RIGHT_TOLD = 0.92;
const RIGHT_PLAIN = 0.9;
const RIGHT_POISONED = 0.1;

/** What the poison of a false lesson says, and what does harm once the world has changed. */
export const POISON = 'Translate museum names into Latin letter by letter.';
const POISONED = /into Latin/u;

export interface Task {
  seed: number;
  number: number;
  family: Family;
  /** True: what was right is wrong now. */
  changed: boolean;
}

/** A number from 0 to 1 that only depends on what it is for: the arms meet the same luck. */
export function chance(...of: (string | number)[]): number {
  return createHash('sha256').update(of.join('|')).digest().readUInt32BE(0) / 2 ** 32;
}

export function directiveOf({ family, number }: Task): string {
  return `${family.directive}. It is for client ${String(100 + number)}.`;
}

/** An upstream that plays both agents on the task that is set; `prompts` are Codey's of the current task. */
export interface World {
  upstream: Upstream;
  task: Task;
  prompts: string[];
}

export async function openWorld(first: Task): Promise<World> {
  const upstream = await startUpstream();
  const world: World = { upstream, task: first, prompts: [] };
  const say =
    (text: (call: UpstreamCall) => string) =>
    (res: Parameters<ReturnType<typeof streamed>>[0], call: UpstreamCall) =>
      streamed([text(call)], { usage: null })(res, call);
  upstream
    .on(
      role('guidance'),
      say(() => 'Do what the directive asks for.'),
    )
    .on(
      role('draft'),
      say((call) => draft(world, call)),
    )
    .on(
      role('verdict'),
      say((call) => review(world, call)),
    );
  return world;
}

function textOf(call: UpstreamCall): string {
  return (call.json.messages as { content: unknown }[]).map(({ content }) => String(content)).join('\n');
}

/** Right when the prompt holds what matters, by luck otherwise; in a revision the issue says it. */
function draft(world: World, call: UpstreamCall): string {
  const { seed, number, family, changed } = world.task;
  const prompt = textOf(call);
  world.prompts.push(prompt);
  const round = world.prompts.length;
  const luck = chance(seed, number, round, 'draft');
  const told = /<issues>/u.test(prompt);
  const lessons = /<lessons>\n([^]*?)\n<\/lessons>/u.exec(prompt)?.[1] ?? '';
  const heeds = family.meaning.test(lessons);
  let right = family.fixes.length === 0 ? RIGHT_PLAIN : RIGHT_UNTOLD;
  if (changed && family.fixes.length > 0) right = heeds ? 1 - RIGHT_TOLD : RIGHT_PLAIN;
  else if (heeds) right = RIGHT_TOLD;
  if (family.fixes.length === 0 && POISONED.test(lessons)) right = RIGHT_POISONED;
  if (told) right = RIGHT_TOLD;
  return `Draft ${String(round)} for ${family.name}: ${luck < right ? 'RIGHT' : 'WRONG'}.`;
}

function review(world: World, call: UpstreamCall): string {
  const { seed, number, family, changed } = world.task;
  const drafts = textOf(call).match(/<draft>\n[^]*?\n<\/draft>/u)?.[0] ?? '';
  const right = drafts.includes('RIGHT');
  const wording = family.fixes[Math.floor(chance(seed, number, 'fix') * family.fixes.length)];
  const fix =
    wording === undefined
      ? 'Keep museum names as the letter has them.'
      : changed
        ? `Do not do this any more: ${wording}`
        : wording;
  return JSON.stringify({
    decision: right ? 'approve' : 'revise',
    issues: right ? [] : [{ id: 'trap', severity: 'major', where: 'the whole draft', fix }],
    resolved: right ? ['trap'] : [],
    criteria: [],
    lesson: null,
  });
}
