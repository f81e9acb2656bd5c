import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { setPreferences } from '../actions/sessions.ts';
import { api } from '../api/client.ts';
import type { Budget } from '../api/types.ts';
import { openSession, running } from '../state/model.ts';
import { count } from '../text/words.ts';
import { Choice, NumberField } from './settings-fields.tsx';

/** What is kept with the open session, on the server. */
export function SessionSettings() {
  const session = openSession.value;
  const preferences = session?.user_preferences;
  const budget = preferences?.budget ?? {};
  const limit = (which: 'tokens' | 'tokens_per_day', name: string, hint: string) => (
    <NumberField
      // Another session begins with a field of its own.
      key={`${session?.session_id ?? ''} ${which}`}
      id={`session-${which}`}
      name={name}
      hint={hint}
      min={0}
      step={1_000}
      whole
      disabled={!session}
      value={budget[which] ?? null}
      set={(value) => {
        if (session && value !== (budget[which] ?? null))
          void setPreferences(session, { budget: { ...budget, [which]: value } });
      }}
    />
  );
  return (
    <fieldset>
      <legend>This session</legend>
      <Choice
        id="session-mode"
        name="How directives are answered in this session"
        disabled={!session}
        value={preferences?.covenant_mode ?? 'cycle'}
        options={{
          cycle: 'In a cycle: guided and reviewed',
          direct: 'Directly: one call, with memory',
        }}
        set={(mode) => {
          if (session)
            void setPreferences(session, { covenant_mode: mode === 'direct' ? 'direct' : 'cycle' });
        }}
      />
      {limit('tokens', 'Tokens of all its cycles', 'No cycle begins that has no room left.')}
      {limit('tokens_per_day', 'Tokens of its cycles in a day', 'From midnight to midnight, UTC.')}
      {session && <Spent key={session.session_id} sessionId={session.session_id} />}
    </fieldset>
  );
}

/** What the session has taken so far. Nothing is said while it is not known. */
function Spent({ sessionId }: { sessionId: string }) {
  const budget = useSignal<Budget | null>(null);
  const preferred = openSession.value?.user_preferences.budget;
  const atWork = running.value !== null;
  useEffect(() => {
    void api.budget(sessionId).then(
      (read) => (budget.value = read),
      () => undefined,
    );
  }, [atWork, preferred]);
  if (!budget.value) return null;
  const { session, session_day: day } = budget.value;
  const most = session.limits.tokens;
  return (
    <p class="quiet">
      So far {count(session.spent.tokens, 'token')}, {day.spent.tokens.toLocaleString()} of them today.
      {most !== null && ` At most ${most.toLocaleString()} are allowed.`}
    </p>
  );
}
