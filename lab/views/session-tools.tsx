import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { archiveSession, eraseSession, exportSession, renameSession } from '../actions/sessions.ts';
import type { Session } from '../api/types.ts';
import { count, sessionName } from '../text/words.ts';

/** What can be done with the open session. */
export function SessionTools({ session }: { session: Session }) {
  const doing = useSignal<'rename' | 'archive' | 'delete' | null>(null);
  const close = () => (doing.value = null);
  return (
    <div class="session-tools" role="group" aria-label="This session">
      <button class="small" type="button" onClick={() => (doing.value = 'rename')}>
        Rename
      </button>
      <button class="small" type="button" onClick={() => void exportSession(session)}>
        Export
      </button>
      {session.status !== 'archived' && (
        <button class="small" type="button" onClick={() => (doing.value = 'archive')}>
          Archive
        </button>
      )}
      <button class="small danger" type="button" onClick={() => (doing.value = 'delete')}>
        Delete
      </button>
      {doing.value === 'rename' && <Rename session={session} close={close} />}
      {doing.value === 'archive' && <Archive session={session} close={close} />}
      {doing.value === 'delete' && <Delete session={session} close={close} />}
    </div>
  );
}

interface Props {
  session: Session;
  close: () => void;
}

function Rename({ session, close }: Props) {
  const name = useSignal(session.user_preferences.name ?? '');
  return (
    <Dialog title="Rename the session" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void renameSession(session, name.value).then((done) => done && close());
        }}
      >
        <label>
          Name
          <input
            maxLength={200}
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </label>
        <div class="row">
          <button class="button primary" type="submit">
            Rename
          </button>
          <button class="button" type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Archive({ session, close }: Props) {
  return (
    <Dialog title={`Archive “${sessionName(session)}”?`} close={close}>
      <p>It stays readable and can be exported, but takes no new directives.</p>
      <div class="row">
        <button
          class="button primary"
          type="button"
          onClick={() => void archiveSession(session).then((done) => done && close())}
        >
          Archive
        </button>
        <button class="button" type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

/** Asked twice, and told what goes: it cannot be undone. */
function Delete({ session, close }: Props) {
  const sure = useSignal(false);
  return (
    <Dialog title={`Delete “${sessionName(session)}”?`} close={close}>
      <p>
        {count(session.conversation_count ?? 0, 'conversation')} and {count(session.total_turns ?? 0, 'turn')}{' '}
        are erased, with everything that was learned from them: summaries, causes, lessons, cycles. Nothing
        brings them back. Export the session first if you may want it again.
      </p>
      {sure.value && <p role="alert">Really? This is the last question.</p>}
      <div class="row">
        {sure.value ? (
          <button
            key="sure"
            class="button danger"
            type="button"
            onClick={() => void eraseSession(session).then((done) => done && close())}
          >
            Yes, erase all of it
          </button>
        ) : (
          <button key="delete" class="button danger" type="button" onClick={() => (sure.value = true)}>
            Delete …
          </button>
        )}
        <button class="button" type="button" onClick={close}>
          Keep it
        </button>
      </div>
    </Dialog>
  );
}

/** A window over the page. Escape closes it, and the focus goes back to where it was. */
function Dialog(props: { title: string; close: () => void; children: preact.ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} aria-labelledby="dialog-title" onClose={props.close}>
      <h2 id="dialog-title">{props.title}</h2>
      {props.children}
    </dialog>
  );
}
