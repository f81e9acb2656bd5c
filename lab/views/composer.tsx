import { useLayoutEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { sendDirective } from '../actions/send.ts';
import { openSession, running } from '../state/model.ts';
import { draft, keepDraft } from '../state/draft.ts';

/** Where the person writes. What was typed is kept until the server has taken it. */
export function Composer() {
  const box = useRef<HTMLTextAreaElement>(null);
  const sending = useSignal(false);
  const text = draft.value;
  const busy = running.value !== null || sending.value;
  const archived = openSession.value?.status === 'archived';

  // As high as what is in it; the style sheet sets the limits.
  useLayoutEffect(() => {
    if (!box.current) return;
    box.current.style.height = 'auto';
    box.current.style.height = `${String(box.current.scrollHeight + 2)}px`;
  }, [text]);

  const send = async () => {
    const directive = text.trim();
    if (directive === '' || busy || archived) return;
    sending.value = true;
    const taken = await sendDirective(directive);
    sending.value = false;
    if (taken && draft.value.trim() === directive) keepDraft('');
  };

  return (
    <div class="composer">
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
          ref={box}
          rows={2}
          placeholder={archived ? 'This session is archived.' : 'What should be done?'}
          disabled={archived}
          aria-describedby="directive-hint"
          value={text}
          onInput={(event) => {
            keepDraft(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            void send();
          }}
        />
        {running.value ? (
          <button class="button" type="button" onClick={() => running.value?.cancel()}>
            Stop
          </button>
        ) : (
          <button class="button primary" type="submit" disabled={text.trim() === '' || busy || archived}>
            Send
          </button>
        )}
        <span class="hint" id="directive-hint">
          Enter sends, Shift+Enter begins a new line.
        </span>
      </form>
    </div>
  );
}
