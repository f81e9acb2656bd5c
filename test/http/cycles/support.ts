import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSourceParserStream, type EventSourceMessage } from 'eventsource-parser/stream';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { createCycleService, type CycleServiceDeps } from '../../../src/covenant/create-cycle-service.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { createOpenAiProvider } from '../../../src/models/openai/openai-provider.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { startUpstream } from '../../support/upstream.ts';
import { startApp } from '../support.ts';

/** The verdicts that the scripted Beatrice gives. */
export const APPROVE = verdict({ decision: 'approve', resolved: ['short'] });
export const REVISE = verdict({
  decision: 'revise',
  issues: [{ id: 'short', severity: 'major', where: 'the whole', fix: 'Name a second river.' }],
});
export const ASK = verdict({ decision: 'ask_person' });

export function verdict(fields: object): string {
  return JSON.stringify({
    decision: 'approve',
    issues: [],
    resolved: [],
    criteria: [],
    lesson: null,
    ...fields,
  });
}

/** The whole server on a real record, with a scripted upstream behind it. */
export async function startServer(file = temporaryFile(), more: Partial<CycleServiceDeps> = {}) {
  const upstream = await startUpstream();
  const server = await startOn(file, upstream.baseUrl, more);
  onTestFinished(() => upstream.close());
  return { ...server, upstream, file };
}

/** A server on a record that may be there already, as after a restart. */
export async function startOn(file: string, upstreamUrl: string, more: Partial<CycleServiceDeps> = {}) {
  const dal = await openSqliteStore({ file, threads: false });
  const memory = createMemoryService({ dal });
  const provider = createOpenAiProvider({
    baseUrl: upstreamUrl,
    apiKey: 'sk-test',
    model: 'default-model',
    timeoutMs: 20_000,
    maxRetries: 0,
  });
  const models = { beatrice: undefined, codey: undefined };
  const cycles = createCycleService({
    dal,
    memory,
    provider,
    models,
    clock: systemClock,
    logger: silentLogger,
    ...more,
  });
  const app = await startApp({ upstreamUrl, parts: { dal, memory, cycles, provider }, settings: {} });
  onTestFinished(async () => {
    await cycles.drain(0);
    await dal.close();
  });
  const { session } = await memory.createSession({});
  return { ...app, dal, memory, cycles, sessionId: session.sessionId, api: apiOf(app.url) };
}

/** JSON in, JSON out. */
function apiOf(url: string) {
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  };
  return {
    get: (path: string) => call('GET', path),
    put: (path: string, body: unknown) => call('PUT', path, body),
    post: (path: string, body?: unknown) => call('POST', path, body),
    /** All events until the stream ends. */
    events: async (path: string, headers: Record<string, string> = {}) => {
      const found: EventSourceMessage[] = [];
      for await (const event of eventsOf(await fetch(url + path, { headers }))) found.push(event);
      return found;
    },
    /** The cycle once it rests. */
    rested: async (cycleId: string) => {
      for await (const _event of eventsOf(await fetch(`${url}/api/v2/cycles/${cycleId}/events`)));
      return (await call('GET', `/api/v2/cycles/${cycleId}`)).body;
    },
  };
}

export function eventsOf(response: Response): AsyncIterable<EventSourceMessage> {
  if (!response.body) throw new Error('no stream');
  return response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}

export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-cycles-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'ccc.db');
}
