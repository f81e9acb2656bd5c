import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { loadConversations } from '../actions/lists.ts';
import { loadSessions, openConversation, openSession, startConversation } from '../actions/places.ts';
import { goToTurn } from '../actions/paging.ts';
import { trying } from '../actions/problems.ts';
import { importSession, search, startSession } from '../actions/sessions.ts';
import type { Session } from '../api/types.ts';
import * as model from '../state/model.ts';
import { count, sessionName, when } from '../text/words.ts';
import { SessionTools } from './session-tools.tsx';

/** After this long without a key the server is asked, in milliseconds. */
const PAUSE_MS = 200;

/** The sessions, the conversations of the open one, and a search in all that was said in it. */
export function Side() {
  return (
    <nav
      class={model.openPanel.value === 'side' ? 'side open' : 'side'}
      aria-label="Sessions and conversations"
    >
      <Sessions />
      {model.sessionId.value && (
        <>
          <SearchMemory />
          {model.found.value ? <Found /> : <Conversations />}
        </>
      )}
    </nav>
  );
}

function Sessions() {
  const typed = useSignal('');
  const wanted = typed.value.trim().toLowerCase();
  // At once among those that are here, and a moment later among all that the server has.
  const shown = model.sessions.value.filter((session) =>
    [sessionName(session), session.session_id].some((text) => text.toLowerCase().includes(wanted)),
  );
  useEffect(() => {
    if (model.sessionFilter.value === typed.value.trim()) return undefined;
    const timer = window.setTimeout(() => {
      model.sessionFilter.value = typed.value.trim();
      void loadSessions();
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, [typed.value]);
  return (
    <>
      <div class="panel-title">
        <h2>Sessions</h2>
        <span class="row">
          <label class="small file">
            Import
            <input
              type="file"
              class="visually-hidden"
              accept=".ndjson,application/x-ndjson"
              onChange={(event) => {
                const file = event.currentTarget.files?.[0];
                event.currentTarget.value = '';
                if (file) void importSession(file);
              }}
            />
          </label>
          <button class="small" type="button" onClick={() => void startSession()}>
            New session
          </button>
        </span>
      </div>
      {(typed.value !== '' || model.sessions.value.length > 5) && (
        <input
          class="filter"
          type="search"
          aria-label="Find a session by name"
          placeholder="Find a session"
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
      )}
      <ul class="list sessions">
        {shown.map((session) => (
          <SessionRow key={session.session_id} session={session} />
        ))}
        <More cursor={model.moreSessions.value} load={loadSessions} />
      </ul>
      {shown.length === 0 && <p class="quiet">{wanted === '' ? 'None yet.' : 'None of this name.'}</p>}
    </>
  );
}

/** Drawn again only when the session itself or the choice of one has changed: there may be thousands. */
function SessionRow({ session }: { session: Session }) {
  const id = session.session_id;
  const isOpen = useComputed(() => model.sessionId.value === id).value;
  const archived = session.status === 'archived' ? ' · archived' : '';
  return (
    <li>
      <Entry
        name={sessionName(session)}
        note={`${when(session.last_active)} · ${count(session.total_turns ?? 0, 'turn')}${archived}`}
        current={isOpen}
        open={() => void openSession(id)}
      />
      {isOpen && <SessionTools session={session} />}
    </li>
  );
}

function Conversations() {
  return (
    <>
      <div class="panel-title">
        <h2>Conversations</h2>
        <button class="small" type="button" aria-label="New conversation" onClick={startConversation}>
          New
        </button>
      </div>
      <ul class="list">
        {model.conversations.value.map((conversation) => (
          <li key={conversation.conversation_id}>
            <Entry
              name={conversation.directive}
              note={`${when(conversation.last_active)} · ${count(conversation.turn_count, 'turn')}`}
              current={conversation.conversation_id === model.conversationId.value}
              open={() => void openConversation(conversation.conversation_id)}
            />
          </li>
        ))}
        <More
          cursor={model.moreConversations.value}
          load={async (cursor) => {
            await trying(() => loadConversations(cursor));
          }}
        />
      </ul>
    </>
  );
}

function SearchMemory() {
  const query = useSignal('');
  return (
    <form
      role="search"
      aria-label="This memory"
      onSubmit={(event) => {
        event.preventDefault();
        void search(query.value);
      }}
    >
      <input
        class="filter"
        type="search"
        aria-label="Search everything said in this session"
        placeholder="Search this memory, Enter"
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value;
          if (query.value === '') model.found.value = null;
        }}
      />
    </form>
  );
}

function Found() {
  const found = model.found.value;
  if (!found) return null;
  return (
    <>
      <div class="panel-title">
        <h2>{count(found.turns.length, 'turn')} found</h2>
        <button class="small" type="button" onClick={() => (model.found.value = null)}>
          Close
        </button>
      </div>
      <ul class="list">
        {found.turns.map((turn) => (
          <li key={turn.turn_id}>
            <Entry
              name={turn.content}
              note={`${turn.speaker ?? turn.agent} · ${when(turn.timestamp)} · ${turn.score.toFixed(2)}`}
              current={turn.turn_id === model.markedTurnId.value}
              open={() => void goToTurn(turn.turn_id, turn.conversation_id, turn.turn_number)}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

function Entry(props: { name: string; note: string; current: boolean; open: () => void }) {
  return (
    <button
      type="button"
      class="entry"
      aria-current={props.current}
      onClick={props.open}
      title={props.name.slice(0, 200)}
    >
      <span class="name">{props.name}</span>
      <span class="when">{props.note}</span>
    </button>
  );
}

/** The next page of a list: read when the list is scrolled to its end, or at a word. */
function More({ cursor, load }: { cursor: string | null; load: (cursor: string) => Promise<void> }) {
  const end = useRef<HTMLLIElement>(null);
  const reading = useRef(false);
  const next = async () => {
    if (cursor === null || reading.current) return;
    reading.current = true;
    await load(cursor);
    reading.current = false;
  };
  useEffect(() => {
    if (!end.current) return undefined;
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void next();
    });
    watcher.observe(end.current);
    return () => {
      watcher.disconnect();
    };
  }, [cursor]);
  if (cursor === null) return null;
  return (
    <li ref={end}>
      <button class="small" type="button" onClick={() => void next()}>
        More
      </button>
    </li>
  );
}
