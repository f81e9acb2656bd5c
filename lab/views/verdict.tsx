import type { Verdict as VerdictShape } from '../api/types.ts';
import { inspected, story } from '../state/model.ts';
import { compared } from '../state/trace.ts';

const DECISIONS: Record<string, string> = {
  approve: 'Approved',
  revise: 'To be revised',
  ask_person: 'Asks you',
};
const MET: Record<string, string> = { yes: 'met', no: 'not met', unknown: 'not known' };

/** Beatrice's decision, what she found, and how each criterion stands. */
export function Verdict({ verdict, cycleId }: { verdict: VerdictShape; cycleId: string | null }) {
  const { decision, issues, criteria, resolved = [] } = verdict;
  const known = [story.value, inspected.value?.story, compared.value?.story].find(
    (each) => each?.cycleId === cycleId,
  );
  const texts = known?.criteria ?? [];
  return (
    <div class="verdict-body">
      <p class="chips">
        <span class={`chip ${decision}`}>{DECISIONS[decision] ?? decision}</span>
        {issues.length > 0 && <span class="chip">{`${String(issues.length)} open`}</span>}
        {resolved.length > 0 && <span class="chip">{`${String(resolved.length)} settled`}</span>}
      </p>
      {issues.length > 0 && (
        <ul class="issues" aria-label="Issues">
          {issues.map((issue) => (
            <li key={issue.id}>
              <span class={`chip ${issue.severity}`}>{issue.severity}</span>
              <span>
                <Where text={issue.where} /> {issue.fix}
              </span>
            </li>
          ))}
        </ul>
      )}
      {criteria.length > 0 && (
        <ul class="issues" aria-label="Criteria">
          {criteria.map((criterion) => (
            <li key={criterion.id}>
              <span class={`chip met-${criterion.met}`}>{MET[criterion.met] ?? criterion.met}</span>
              <span>
                {texts.find(({ id }) => id === criterion.id)?.text ?? criterion.id}
                {criterion.evidence !== '' && <span class="quiet"> — {criterion.evidence}</span>}
              </span>
            </li>
          ))}
        </ul>
      )}
      {verdict.lesson && <p class="quiet">Lesson: {verdict.lesson}</p>}
    </div>
  );
}

/** The place in the draft, in quotation marks unless Beatrice has set them herself. */
function Where({ text }: { text: string }) {
  if (text === '') return null;
  return /["“”„«»]/.test(text) ? <span>{text}</span> : <q>{text}</q>;
}

/** A verdict while it is being written: as text, or as JSON of which a person reads only the decision, its beginning. */
export function VerdictInTheMaking({ text }: { text: string }) {
  if (text !== '' && !text.trimStart().startsWith('{')) return <div class="body typed">{text}</div>;
  const decision = /"decision"\s*:\s*"(\w+)"/.exec(text)?.[1];
  return (
    <p class="chips">
      {decision ? (
        <span class={`chip ${decision}`}>{DECISIONS[decision] ?? decision}</span>
      ) : (
        <span class="quiet">reads the draft …</span>
      )}
    </p>
  );
}
