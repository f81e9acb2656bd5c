import { useSignal } from '@preact/signals';
import { problem, runningCycleId } from '../state/model.ts';
import { keepDraft, readDraft } from '../state/draft.ts';
import { cancelCycle, sendDirective } from '../actions.ts';

/** Where the person writes. What was typed is kept until the server has taken it. */
export function Composer() {
  const text = useSignal(readDraft());
  const running = runningCycleId.value !== null;

  const change = (value: string) => {
    text.value = value;
    keepDraft(value);
  };
  const send = async () => {
    const directive = text.value.trim();
    if (directive === '' || running) return;
    if (await sendDirective(directive)) change('');
  };

  return (
    <div class="composer">
      <ProblemLine />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label class="visually-hidden" for="directive">
          Directive
        </label>
        <textarea
          id="directive"
          rows={2}
          placeholder="What should be done?"
          value={text.value}
          onInput={(event) => {
            change(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            void send();
          }}
        />
        {running ? (
          <button
            class="button"
            type="button"
            onClick={() => {
              void cancelCycle();
            }}
          >
            Stop
          </button>
        ) : (
          <button class="button primary" type="submit" disabled={text.value.trim() === ''}>
            Send
          </button>
        )}
        <span class="hint">Enter sends, Shift+Enter begins a new line.</span>
      </form>
    </div>
  );
}

function ProblemLine() {
  const current = problem.value;
  if (!current) return null;
  return (
    <div class="problem" role="alert">
      <span>{current.text}</span>
      {current.retry && (
        <button class="button" type="button" onClick={current.retry}>
          Try again
        </button>
      )}
    </div>
  );
}
