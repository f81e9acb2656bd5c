import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { CycleService } from '../../../src/covenant/cycle-service.ts';
import { chatRouter } from '../../../src/http/chat/chat-router.ts';
import { errorHandler, unknownRoute } from '../../../src/http/errors.ts';
import type { ChatParts } from '../../../src/http/chat/parts.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import type { MemoryService } from '../../../src/memory/memory-service.ts';
import { createOpenAiProvider } from '../../../src/models/openai/openai-provider.ts';
import type { MemoryDAL } from '../../../src/store/memory-dal.ts';
import type { JsonObject } from '../../../src/store/records.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { startUpstream as startScripted } from '../../support/upstream.ts';
import type {
  BuiltContext,
  ContextMaterial,
  ContextRequest,
} from '../../../src/memory/context/context-types.ts';

/** What a request looked like when it reached the upstream. */
export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  /** As it came, byte for byte. */
  text: string;
  /** Resolves when the caller has hung up before the answer was complete. */
  gone: Promise<unknown>;
}

export type Script = (res: ServerResponse, seen: Seen) => unknown;

async function listen(handler: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The scripted upstream, answering each call by the script of the moment. */
export async function startUpstream(script: Script) {
  const server = await startScripted();
  onTestFinished(() => server.close());
  const seen: Seen[] = [];
  const upstream = { url: server.baseUrl, seen, script };
  server.on(null, (res, { method, path, headers, body, aborted }) => {
    const entry: Seen = { method, url: path, headers, text: body, gone: aborted };
    seen.push(entry);
    return upstream.script(res, entry);
  });
  return upstream;
}

export const say =
  (content: string, more: object = {}): Script =>
  (res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'openai-organization': 'org-up' });
    res.end(JSON.stringify(completion({ role: 'assistant', content }, 'stop', more)));
  };

export function completion(message: object, finish_reason: string, more: object = {}) {
  return {
    id: 'chatcmpl-up',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'up-model',
    choices: [{ index: 0, message, logprobs: null, finish_reason }],
    usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
    ...more,
  };
}

export function chunk(delta: object, finish_reason: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason }];
  const body = {
    id: 'chatcmpl-up',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'up-model',
  };
  return `data: ${JSON.stringify({ ...body, choices, ...more })}\n\n`;
}

export const DONE = 'data: [DONE]\n\n';

export const streamOf =
  (...events: string[]): Script =>
  (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) res.write(event);
    res.end();
  };

export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-chat-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'record.db');
}

export function contextOf(prompt: string | null): BuiltContext {
  return {
    prompt,
    tokenCount: prompt === null ? 0 : 7,
    relevantTurns: [],
    relevantConversations: [],
    summary: null,
    causalNarrative: null,
    agentStates: [],
    lessons: [],
    totalConversations: 0,
    sections: [],
    facts: [],
    omittedTurns: 0,
    omittedFacts: 0,
  };
}

/** The real memory on a real record; only the contexts are what the test says. */
export class RecordedMemory {
  readonly dal: MemoryDAL;
  readonly #memory: MemoryService;
  readonly contextRequests: ContextRequest[] = [];
  context: BuiltContext = contextOf(null);

  constructor(dal: MemoryDAL) {
    this.dal = dal;
    this.#memory = createMemoryService({ dal });
  }

  async session(userPreferences: JsonObject = {}) {
    const { session, token } = await this.#memory.createSession({ userPreferences });
    return { sessionId: session.sessionId, token };
  }

  async turns(conversationId: string | null | undefined) {
    return this.#memory.listTurns({ conversationId: conversationId ?? '', fromNumber: 1, limit: 100 });
  }

  service(): MemoryService {
    return {
      ...this.#memory,
      readContext: async (request, begun) => {
        await begun;
        this.contextRequests.push(request);
        return {} as ContextMaterial;
      },
      composeContext: () => Promise.resolve(this.context),
    };
  }
}

const NO_CYCLES = {
  start: () => Promise.reject(new Error('no cycle expected')),
  findWaiting: () => Promise.resolve(null),
} as unknown as CycleService;

/** A running `/v2` on a real record and the scripted upstream. */
export async function startChat(
  script: Script = say('Noted.'),
  changes: (parts: ChatParts, memory: RecordedMemory) => Partial<ChatParts> = () => ({}),
) {
  const dal = await openSqliteStore({ file: temporaryFile(), threads: false });
  const upstream = await startUpstream(script);
  const memory = new RecordedMemory(dal);
  const provider = createOpenAiProvider({
    baseUrl: upstream.url,
    apiKey: 'sk-server',
    model: 'up-default',
    timeoutMs: 5_000,
    maxRetries: 0,
  });
  const parts: ChatParts = {
    provider,
    memory: memory.service(),
    cycles: NO_CYCLES,
    store: dal,
    settings: {
      CCC_COVENANT_DEFAULT: 'direct',
      CCC_MAX_BODY: 1_000_000,
      CCC_MAX_CONTEXT_TOKENS: 2_000,
      CCC_MAX_CONTEXT_TURNS: 12,
      CCC_MAX_ROUNDS: 3,
    },
    logger: silentLogger,
    clock: systemClock,
  };
  const app = express();
  app.use(chatRouter({ ...parts, ...changes(parts, memory) }));
  app.use(unknownRoute);
  app.use(errorHandler(silentLogger));
  const url = await listen(app as never);
  onTestFinished(async () => {
    await provider.close();
    await dal.close();
  });
  const post = (
    body: object | string,
    options: { path?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ) =>
    fetch(`${url}${options.path ?? '/v2/chat/completions'}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...options.headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: options.signal ?? null,
    });
  return { url, upstream, memory, post, session: (preferences?: JsonObject) => memory.session(preferences) };
}

export interface MemoryMetadata {
  session_id: string;
  conversation_id: string | null;
  context_used: boolean;
  relevant_turns: number;
  context_tokens: number;
  turn_ids: string[];
  degraded: string | null;
}

/** The data of each event of a stream, `[DONE]` as it is. */
export function eventsOf(text: string): (Record<string, unknown> | string)[] {
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) =>
      event === 'data: [DONE]' ? '[DONE]' : (JSON.parse(event.slice(6)) as Record<string, unknown>),
    );
}
