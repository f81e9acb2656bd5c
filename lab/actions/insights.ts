import { analytics, type Analytics } from '../api/insights.ts';
import { ApiError } from '../api/http.ts';
import { api } from '../api/client.ts';
import { health, sessionId } from '../state/model.ts';
import * as state from '../state/insights.ts';
import { trying } from './problems.ts';

/** Reads the figures of the open session, or of all sessions. */
export async function loadInsights(): Promise<void> {
  const [scope, session] = [state.scope.value, sessionId.value];
  if (scope === 'session' && session === null) {
    state.figures.value = null;
    return;
  }
  await trying(async () => {
    const read = await analytics(scope === 'all' ? null : session).catch((error: unknown) => {
      // Whose key opens one session only is told so in words that fit here.
      if (error instanceof ApiError && error.code === 'invalid_token')
        throw new Error('Figures of all sessions are for whoever runs the server.');
      throw error;
    });
    // Why something is missing is said by the server's health.
    if (isMissing(read)) health.value = await api.health();
    if (state.scope.value === scope && sessionId.value === session) state.figures.value = read;
  }, true);
}

/** Whether the server could not tell a part of the figures now. */
export function isMissing({ causes, cycle_figures: cycles, tokens }: Analytics): boolean {
  return causes === null || cycles === null || tokens === null;
}
