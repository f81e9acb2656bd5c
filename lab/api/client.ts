import { call } from './http.ts';
import type { Conversation, ConversationWithTurns, CycleView, Health, Paged, Session } from './types.ts';

const id = encodeURIComponent;

export const api = {
  health: () => call<Health>('GET', '/health'),
  sessions: () => call<Paged<Session>>('GET', '/api/v2/sessions?limit=50'),
  createSession: () => call<Session>('POST', '/api/v2/sessions', {}),
  conversations: (sessionId: string) =>
    call<Paged<Conversation>>('GET', `/api/v2/sessions/${id(sessionId)}/conversations?limit=50`),
  conversation: (conversationId: string) =>
    call<ConversationWithTurns>('GET', `/api/v2/conversations/${id(conversationId)}`),
  startCycle: (sessionId: string, body: { directive: string; conversation_id?: string }) =>
    call<CycleView>('POST', `/api/v2/sessions/${id(sessionId)}/cycles`, body),
  runningCycles: (sessionId: string) =>
    call<Paged<CycleView>>('GET', `/api/v2/sessions/${id(sessionId)}/cycles?limit=5`),
  cycle: (cycleId: string) => call<CycleView>('GET', `/api/v2/cycles/${id(cycleId)}`),
  cancelCycle: (cycleId: string) => call<CycleView>('POST', `/api/v2/cycles/${id(cycleId)}/cancel`),
  cycleEventsPath: (cycleId: string) => `/api/v2/cycles/${id(cycleId)}/events`,
};
