import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { sendDirective } from '../actions/send.ts';
import { openSession, running } from '../state/model.ts';
import { draft, keepDraft, sendAgainAt } from '../state/draft.ts';

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
          {sendAgainAt.value === null ? (
            'Enter sends, Shift+Enter begins a new line.'
          ) : (
            <SendAgain at={sendAgainAt.value} send={send} />
          )}
        </span>
      </form>
    </div>
  );
}

/** Counts down until what was typed is sent again, unless the person says otherwise. */
function SendAgain({ at, send }: { at: number; send: () => Promise<void> }) {
  const left = useSignal(Math.max(0, at - Date.now()));
  // The one of the last drawing: the one before knew the page as it was busy with the first try.
  const latest = useRef(send);
  latest.current = send;
  useEffect(() => {
    const timer = window.setInterval(() => {
      left.value = Math.max(0, at - Date.now());
      if (left.value === 0) void latest.current();
    }, 250);
    return () => {
      window.clearInterval(timer);
    };
  }, [at]);
  return (
    <>
      Sent again by itself in {Math.ceil(left.value / 1_000)} s.{' '}
      <button class="small" type="button" onClick={() => (sendAgainAt.value = null)}>
        Do not send it
      </button>
    </>
  );
}
