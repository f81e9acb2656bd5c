// Made once: to make one takes longer than to draw an entry of a list.
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const NUMBER = new Intl.NumberFormat();

/** A moment in the person's own words for dates. */
export function when(iso: string): string {
  return MOMENT.format(new Date(iso));
}

/** "1 turn", "2 turns", "1,204 turns". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${NUMBER.format(number)} ${number === 1 ? one : many}`;
}

/** A span of time as people read it: "320 ms", "4.2 s", "2 min 5 s". */
export function span(ms: number): string {
  if (ms < 1_000) return `${String(Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${String(Math.floor(ms / 60_000))} min ${String(Math.round((ms % 60_000) / 1_000))} s`;
}

/** What a session is called: its name, or something to tell it from others. */
export function sessionName(session: { session_id: string; user_preferences: { name?: string } }): string {
  const { name } = session.user_preferences;
  return name !== undefined && name !== '' ? name : `Session ${session.session_id.slice(-6)}`;
}

const OUTCOMES: Record<string, string> = {
  approved: 'Approved',
  approved_with_notes: 'Approved, with notes',
  max_rounds: 'Not approved',
  token_budget: 'Token budget used up',
  time_budget: 'Time used up',
  stalled: 'Not approved',
  review_unavailable: 'Not reviewed',
  upstream_error: 'The model failed',
  client_cancelled: 'Stopped by you',
  drained: 'Stopped with the server',
  awaiting_tools: 'Waits for tools',
  awaiting_decision: 'Waits for your decision',
};

export function outcomeName(outcome: string): string {
  return OUTCOMES[outcome] ?? outcome;
}

/** A text as a sentence: with a full stop, unless it has a mark at its end already. */
export function closed(text: string): string {
  return text === '' || /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** An agent's name, or a word, as it stands at the beginning. */
export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
