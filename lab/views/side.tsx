import { useSignal } from '@preact/signals';
import { loadConversations } from '../actions/lists.ts';
import {
  loadSessions,
  openConversation,
  openSession,
  startConversation,
  goToTurn,
} from '../actions/places.ts';
import { trying } from '../actions/problems.ts';
import { importSession, search, startSession } from '../actions/sessions.ts';
import * as model from '../state/model.ts';
import { count, sessionName, when } from '../text/words.ts';
import { SessionTools } from './session-tools.tsx';

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
  const filter = useSignal('');
  const wanted = filter.value.trim().toLowerCase();
  const shown = model.sessions.value.filter((session) => sessionName(session).toLowerCase().includes(wanted));
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
      {model.sessions.value.length > 5 && (
        <input
          class="filter"
          type="search"
          aria-label="Find a session by name"
          placeholder="Find a session"
          value={filter.value}
          onInput={(event) => (filter.value = event.currentTarget.value)}
        />
      )}
      <ul class="list sessions">
        {shown.map((session) => (
          <li key={session.session_id}>
            <Entry
              name={sessionName(session)}
              note={`${when(session.last_active)} · ${count(session.total_turns ?? 0, 'turn')}${session.status === 'archived' ? ' · archived' : ''}`}
              current={session.session_id === model.sessionId.value}
              open={() => void openSession(session.session_id)}
            />
            {session.session_id === model.sessionId.value && <SessionTools session={session} />}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p class="quiet">{wanted === '' ? 'None yet.' : 'None of this name.'}</p>}
      <More cursor={model.moreSessions.value} load={loadSessions} />
    </>
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
      </ul>
      <More
        cursor={model.moreConversations.value}
        load={async (cursor) => {
          await trying(() => loadConversations(cursor));
        }}
      />
    </>
  );
}

function SearchMemory() {
  const query = useSignal('');
  return (
    <form
      role="search"
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

function More({ cursor, load }: { cursor: string | null; load: (cursor: string) => Promise<void> }) {
  if (cursor === null) return null;
  return (
    <button class="small" type="button" onClick={() => void load(cursor)}>
      More
    </button>
  );
}
