import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { openMemory } from '../../memory/support.ts';
import { startApp } from '../support.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
  body: any;
}

/** The whole HTTP side on a real record, and a client that says what it sends and gets. */
export async function startMemoryApi(
  options: Omit<NonNullable<Parameters<typeof startApp>[0]>, 'parts'> = {},
) {
  const { dal } = await openMemory();
  const memory = createMemoryService({ dal });
  const { url } = await startApp({ ...options, parts: { dal, memory } });
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
  };
  const newSession = async () =>
    (await call('POST', '/api/v2/sessions', {})).body as { session_id: string; token: string };
  const newConversation = async (sessionId: string, directive = 'Begin.') =>
    (
      (await call('POST', '/api/v2/conversations', { session_id: sessionId, directive })).body as {
        conversation_id: string;
      }
    ).conversation_id;
  return { url, call, newSession, newConversation };
}
