import { api } from '../api/client.ts';
import type { Preferences, Session } from '../api/types.ts';
import { changing } from './lists.ts';
import * as model from '../state/model.ts';
import { tellErased } from './other-tabs.ts';
import { closeSession, loadSessions, openSession } from './places.ts';
import { trying } from './problems.ts';

/** Makes a session and opens it. */
export async function startSession(): Promise<void> {
  await trying(async () => {
    const session = await api.createSession();
    await loadSessions();
    await openSession(session.session_id);
  });
}

export async function renameSession(session: Session, name: string): Promise<boolean> {
  return setPreferences(session, { name: name.trim() });
}

/** Changes some of a session's preferences and leaves the others as they are now. What was chosen holds at once. */
export async function setPreferences(session: Session, part: Preferences): Promise<boolean> {
  replace({ ...session, user_preferences: { ...session.user_preferences, ...part } });
  const answered = changing(session.session_id);
  const done = await trying(async () => {
    const { user_preferences: now } = await api.session(session.session_id);
    replace(await api.setPreferences(session.session_id, { ...now, ...part }));
  });
  answered();
  if (!done) replace(session);
  return done;
}

export async function archiveSession(session: Session): Promise<boolean> {
  return trying(async () => {
    replace(await api.archiveSession(session.session_id));
  });
}

function replace(session: Session): void {
  model.sessions.value = model.sessions.value.map((known) =>
    known.session_id === session.session_id ? session : known,
  );
}

/** Erases every trace of a session. The person has been asked twice. */
export async function eraseSession(session: Session): Promise<boolean> {
  return trying(async () => {
    await api.eraseSession(session.session_id);
    tellErased(session.session_id);
    if (model.sessionId.value === session.session_id) closeSession();
    await loadSessions();
  });
}

export async function exportSession(session: Session): Promise<void> {
  await trying(async () => {
    saveAs(await api.exportSession(session.session_id), `${session.session_id}.ndjson`);
  });
}

export async function importSession(file: File): Promise<void> {
  await trying(async () => {
    const session = await api.importSession(file);
    await loadSessions();
    await openSession(session.session_id);
  });
}

/** Looks through everything that was said in the open session. An empty query ends the search. */
export async function search(query: string): Promise<void> {
  const sessionId = model.sessionId.value;
  if (query.trim() === '' || sessionId === null) {
    model.found.value = null;
    return;
  }
  await trying(async () => {
    const { results } = await api.search(sessionId, query.trim());
    model.found.value = { query: query.trim(), turns: results };
  });
}

/** Gives the person a file. */
export function saveAs(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
