import { isoTime } from '../../base/clock.ts';
import { probabilityThatItHelps } from '../../memory/lessons/effect.ts';
import type { LessonRecord } from '../../store/lesson-store.ts';

export function lessonView(record: LessonRecord) {
  const { withIt, withoutIt } = record;
  return {
    lesson_id: record.lessonId,
    agent: record.agent,
    trigger: record.trigger,
    text: record.text,
    status: record.status,
    pinned: record.pinned,
    author: record.author,
    evidence: record.evidence.map(({ cycleId, issueIds }) => ({ cycle_id: cycleId, issue_ids: issueIds })),
    effect: {
      with: withIt,
      without: withoutIt,
      helps: Number(probabilityThatItHelps(withIt, withoutIt).toFixed(4)),
    },
    version: record.version,
    created_at: isoTime(record.createdAt),
    updated_at: isoTime(record.updatedAt),
  };
}

/** A lesson where only its worth is asked for. */
export function lessonEffectView(record: LessonRecord) {
  const { lesson_id, agent, text, status, pinned, effect } = lessonView(record);
  return { lesson_id, agent, text, status, pinned, effect };
}
