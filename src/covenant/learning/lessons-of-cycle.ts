import { newId } from '../../base/ids.ts';
import {
  contradicts,
  lessonHash,
  LONGEST_LESSON,
  sameLesson,
  squeezed,
  stemsOf,
} from '../../memory/lessons/lesson-words.ts';
import { textOf } from '../../models/chat-result.ts';
import type { CycleLessons, LessonRecord, NewLesson } from '../../store/lesson-store.ts';
import type { MachineState } from '../machine/state.ts';
import type { StoredRequest } from '../runner/stored-request.ts';
import { isTakenFrom, isTruism } from './refused.ts';
import { settledIssues, type SettledIssue } from './settled-issues.ts';

/** Lessons of one cycle. */
const MOST_LESSONS = 3;
/** Lessons of an agent that are in use or wait for the person; beyond that none is learned before some are retired. */
const MOST_KEPT = 300;
/** How much of a directive says for what work a lesson is, in characters. */
const LONGEST_TRIGGER = 160;
/** A message that is longer brings a document along, in characters. */
const LONGEST_SAID = 2_000;
/** How much of a lesson's words an issue has to hold for the lesson to be about it. */
const ABOUT = 1 / 3;

export interface EndedCycle {
  cycleId: string;
  state: MachineState;
  stored: StoredRequest;
  /** What the reviewer would have a round learn. */
  proposed: ReadonlyMap<number, string>;
}

/** What a cycle teaches Codey, beside what is known: from issues that were settled on the way to an accepted answer. */
export function lessonsOfCycle(
  { cycleId, state, stored, proposed }: EndedCycle,
  known: readonly LessonRecord[],
): Pick<CycleLessons, 'lessons' | 'confirmed' | 'disputed'> {
  const settled = settledIssues(state);
  const elsewhere = textsOfOthers(state, stored);
  const trigger = triggerOf(stored.directive);
  const inUse = known.filter(({ status }) => status !== 'retired');
  const lessons: NewLesson[] = [];
  const confirmed: CycleLessons['confirmed'] = [];
  const disputed = new Set<string>();
  for (const each of settled) {
    if (lessons.length + confirmed.length === MOST_LESSONS) break;
    const text = squeezed(wordingOf(each, settled, proposed), LONGEST_LESSON.text);
    if (text === '' || isTruism(text) || isTakenFrom(text, elsewhere)) continue;
    const issueIds = [each.issue.id];
    const twin = lessons.find((lesson) => sameLesson(lesson.text, text));
    if (twin) {
      for (const evidence of twin.evidence) evidence.issueIds.push(each.issue.id);
      continue;
    }
    const same = known.find((lesson) => sameLesson(lesson.text, text));
    if (same) {
      if (same.status !== 'retired') confirmed.push({ lessonId: same.lessonId, issueIds });
      continue;
    }
    if (inUse.length + lessons.length >= MOST_KEPT) continue;
    const against = inUse.filter((lesson) => contradicts(lesson, { trigger, text }));
    for (const { lessonId } of against) disputed.add(lessonId);
    lessons.push({
      lessonId: newId('les'),
      agent: 'codey',
      trigger,
      text,
      status: against.length > 0 ? 'candidate' : 'active',
      pinned: false,
      author: 'model',
      evidence: [{ cycleId, issueIds }],
      hash: lessonHash(text),
    });
  }
  return { lessons, confirmed, disputed: [...disputed] };
}

/** The reviewer's own sentence where it is about this issue rather than another of its round, else what was to be done. */
function wordingOf(
  { issue, round }: SettledIssue,
  settled: readonly SettledIssue[],
  proposed: ReadonlyMap<number, string>,
): string {
  const lesson = proposed.get(round) ?? '';
  const stems = stemsOf(lesson);
  if (stems.size === 0) return issue.fix;
  const shared = ({ issue: { id, where, fix } }: SettledIssue) =>
    [...stemsOf(`${id.replaceAll(/[-_]/gu, ' ')} ${where} ${fix}`)].filter((stem) => stems.has(stem)).length;
  const own = shared({ issue, round });
  const best = settled.filter((other) => other.round === round).sort((a, b) => shared(b) - shared(a))[0];
  return own / stems.size >= ABOUT && best?.issue.id === issue.id ? lesson : issue.fix;
}

/** For what work a lesson is: the beginning of the directive, up to the end of a word. */
function triggerOf(directive: string): string {
  const text = squeezed(directive, directive.length);
  if (text.length <= LONGEST_TRIGGER) return text;
  return text
    .slice(0, LONGEST_TRIGGER + 1)
    .replace(/\s+\S*$/u, '')
    .slice(0, LONGEST_TRIGGER);
}

/** What tools and documents say: results of tools, memory, and messages that are too long to be said. */
function textsOfOthers({ toolMessages }: MachineState, { request, memory }: StoredRequest): string[] {
  const results = toolMessages.filter(({ message }) => message.role === 'tool');
  const sent = request.messages.filter(
    (message) => message.role === 'tool' || textOf(message).length > LONGEST_SAID,
  );
  return [...results.map(({ message }) => textOf(message)), ...sent.map(textOf), memory ?? ''].filter(
    (text) => text !== '',
  );
}
