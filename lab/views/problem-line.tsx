import { problem } from '../state/model.ts';

/** What went wrong last, and what can be done about it. */
export function ProblemLine() {
  const current = problem.value;
  if (!current) return null;
  return (
    <div class="problem" role="alert">
      <span>{current.text}</span>
      <span class="row">
        {current.action && (
          <button class="button" type="button" onClick={current.action.run}>
            {current.action.label}
          </button>
        )}
        <button class="button" type="button" aria-label="Dismiss" onClick={() => (problem.value = null)}>
          ✕
        </button>
      </span>
    </div>
  );
}
