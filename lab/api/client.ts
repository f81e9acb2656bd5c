import { call, send } from './http.ts';
import type {
  Budget,
  Conversation,
  ConversationWithTurns,
  CycleBody,
  CycleHead,
  CycleView,
  FoundTurn,
  Health,
  Paged,
  Preferences,
  Session,
} from './types.ts';

const id = encodeURIComponent;
const at = (cursor: string | null) => (cursor === null ? '' : `&cursor=${id(cursor)}`);

/** The one place that knows the addresses of the public API. */
export const api = {
  health: () => call<Health>('GET', '/health'),
  models: () => call<{ data: { id: string }[] }>('GET', '/v1/models'),

  sessions: (name: string, cursor: string | null = null) =>
    call<Paged<Session>>('GET', `/api/v2/sessions?limit=50&name=${id(name)}${at(cursor)}`),
  session: (sessionId: string) => call<Session>('GET', `/api/v2/sessions/${id(sessionId)}`),
  createSession: (preferences: Preferences = {}) =>
    call<Session>('POST', '/api/v2/sessions', { user_preferences: preferences }),
  setPreferences: (sessionId: string, preferences: Preferences) =>
    call<Session>('PUT', `/api/v2/sessions/${id(sessionId)}/preferences`, { user_preferences: preferences }),
  budget: (sessionId: string) => call<Budget>('GET', `/api/v2/sessions/${id(sessionId)}/budget`),
  archiveSession: (sessionId: string) => call<Session>('POST', `/api/v2/sessions/${id(sessionId)}/archive`),
  eraseSession: (sessionId: string) => call<undefined>('DELETE', `/api/v2/sessions/${id(sessionId)}`),
  exportSession: async (sessionId: string): Promise<Blob> =>
    (await send(`/api/v2/sessions/${id(sessionId)}/export`, { method: 'POST' })).blob(),
  importSession: async (file: Blob): Promise<Session> => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const response = await send('/api/v2/sessions/import', { method: 'POST', headers, body: file });
    return (await response.json()) as Session;
  },
  search: (sessionId: string, query: string) =>
    call<{ results: FoundTurn[] }>('POST', `/api/v2/sessions/${id(sessionId)}/context/search`, {
      query,
      max_results: 30,
    }),

  conversations: (sessionId: string, cursor: string | null = null) =>
    call<Paged<Conversation>>('GET', `/api/v2/sessions/${id(sessionId)}/conversations?limit=50${at(cursor)}`),
  conversation: (conversationId: string, from: number, limit: number) =>
    call<ConversationWithTurns>(
      'GET',
      `/api/v2/conversations/${id(conversationId)}?from=${String(from)}&limit=${String(limit)}`,
    ),

  startCycle: (sessionId: string, body: CycleBody) =>
    call<CycleHead>('POST', `/api/v2/sessions/${id(sessionId)}/cycles`, body),
  cycles: (sessionId: string, conversationId: string) =>
    call<Paged<CycleHead>>(
      'GET',
      `/api/v2/sessions/${id(sessionId)}/cycles?limit=1&conversation_id=${id(conversationId)}`,
    ),
  /** Of one conversation, or of the whole session. */
  cyclesOf: (sessionId: string, conversationId: string | null, cursor: string | null = null) =>
    call<Paged<CycleHead>>(
      'GET',
      `/api/v2/sessions/${id(sessionId)}/cycles?limit=100${conversationId === null ? '' : `&conversation_id=${id(conversationId)}`}${at(cursor)}`,
    ),
  cycle: (cycleId: string) => call<CycleView>('GET', `/api/v2/cycles/${id(cycleId)}`),
  cancelCycle: (cycleId: string) => call<CycleHead>('POST', `/api/v2/cycles/${id(cycleId)}/cancel`),
  resumeCycle: (cycleId: string) => call<CycleHead>('POST', `/api/v2/cycles/${id(cycleId)}/resume`),
  decideCycle: (cycleId: string, body: { decision: string; text?: string; draft_hash: string }) =>
    call<CycleHead>('POST', `/api/v2/cycles/${id(cycleId)}/decision`, body),
  cycleEventsPath: (cycleId: string, after: number) =>
    `/api/v2/cycles/${id(cycleId)}/events?after=${String(after)}`,
};
