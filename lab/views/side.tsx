import { conversationId, conversations, openPanel, sessionId, sessions } from '../state/model.ts';
import { openConversation, openSession, startConversation, startSession } from '../actions.ts';
import { when } from './time.ts';

/** The sessions, and the conversations of the open one. */
export function Side() {
  return (
    <nav class={openPanel.value === 'side' ? 'side open' : 'side'} aria-label="Sessions and conversations">
      <div class="panel-title">
        <h2>Sessions</h2>
        <button class="button" type="button" onClick={startSession}>
          New session
        </button>
      </div>
      <ul class="list">
        {sessions.value.map((session) => (
          <Entry
            key={session.session_id}
            name={`Session ${session.session_id.slice(-6)}`}
            time={session.last_active}
            current={session.session_id === sessionId.value}
            open={() => void openSession(session.session_id)}
          />
        ))}
      </ul>
      {sessionId.value && (
        <>
          <div class="panel-title">
            <h2>Conversations</h2>
            <button class="button" type="button" onClick={startConversation}>
              New
            </button>
          </div>
          <ul class="list">
            {conversations.value.map((conversation) => (
              <Entry
                key={conversation.conversation_id}
                name={conversation.directive}
                time={conversation.last_active}
                current={conversation.conversation_id === conversationId.value}
                open={() => void openConversation(conversation.conversation_id)}
              />
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

function Entry(props: { name: string; time: string; current: boolean; open: () => void }) {
  return (
    <li>
      <button type="button" aria-current={props.current} onClick={props.open}>
        <span class="name">{props.name}</span>
        <span class="when">{when(props.time)}</span>
      </button>
    </li>
  );
}
