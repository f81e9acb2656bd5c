import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import type { ConversationLedger, Ledger, SessionLedger } from './ledger.ts';

/** The server that runs now; another one after each kill. */
export interface Target {
  url(): string;
  /** Resolves when a server is up (again). */
  up(): Promise<void>;
}

type Json = Record<string, unknown>;
interface Answer {
  status: number;
  text: string;
  json: Json | null;
}

/** A client that waits longer has met a server that hangs, in milliseconds. */
const HUNG_MS = 30_000;
const SESSIONS_AT_ONCE = 3;

/** One client with its own sessions, who uses all there is in turn and writes down what it was told. */
export class Client {
  readonly #name: string;
  readonly #random: Random;
  readonly #target: Target;
  readonly #ledger: Ledger;
  readonly #sessions: SessionLedger[] = [];
  #number = 0;

  constructor(name: string, random: Random, target: Target, ledger: Ledger) {
    this.#name = name;
    this.#random = random;
    this.#target = target;
    this.#ledger = ledger;
  }

  /** One thing after the other, until it is told to stop. */
  async run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const session = await this.#someSession();
      if (!session) {
        await wait(50);
        continue;
      }
      await this.#random.pick([
        () => this.#plain(),
        () => this.#plain(),
        () => this.#addTurns(session),
        () => this.#addTurns(session),
        () => this.#chat(session, 'direct'),
        () => this.#chat(session, 'direct'),
        () => this.#chat(session, 'cycle'),
        () => this.#look(session),
        () => this.#look(session),
        () => (this.#random.chance(0.2) ? this.#erase(session) : Promise.resolve()),
      ])();
    }
  }

  async #someSession(): Promise<SessionLedger | null> {
    if (this.#sessions.length >= SESSIONS_AT_ONCE) return this.#random.pick(this.#sessions);
    const made = await this.#send('POST', '/api/v2/sessions', {});
    if (made?.status !== 201) return null;
    const session = this.#ledger.session(String(made.json?.['session_id']));
    this.#sessions.push(session);
    return session;
  }

  async #conversation(session: SessionLedger): Promise<ConversationLedger | null> {
    const open = [...session.conversations.values()];
    if (open.length > 0 && this.#random.chance(0.9)) return this.#random.pick(open);
    const directive = this.#mark();
    const made = await this.#send('POST', '/api/v2/conversations', {
      session_id: session.sessionId,
      directive,
    });
    if (made?.status !== 201) return null;
    const conversation = this.#ledger.conversation(session, String(made.json?.['conversation_id']));
    conversation.acknowledged.add(directive);
    return conversation;
  }

  async #plain(): Promise<void> {
    await this.#send('POST', '/v1/chat/completions', {
      model: 'any',
      stream: this.#random.chance(0.5),
      messages: [{ role: 'user', content: this.#mark() }],
    });
  }

  /** Until it is acknowledged: with the same key it is stored once, whatever happened to the first answer. */
  async #addTurns(session: SessionLedger): Promise<void> {
    const conversation = await this.#conversation(session);
    if (!conversation) return;
    const texts = Array.from({ length: 1 + this.#random.int(4) }, () => this.#mark());
    const body = { turns: texts.map((content) => ({ agent: 'wykeve', content })) };
    const path = `/api/v2/conversations/${conversation.conversationId}/turns`;
    for (const text of texts) conversation.unheard.add(text);
    for (let left = 5; left > 0; left -= 1) {
      const added = await this.#send('POST', path, body, { 'idempotency-key': texts[0] ?? '' });
      if (added?.status !== 201) continue;
      for (const text of texts) {
        conversation.unheard.delete(text);
        conversation.acknowledged.add(text);
      }
      for (const { turn_id: id } of added.json?.['turns'] as { turn_id: string }[])
        conversation.turnIds.add(id);
      this.#ledger.count('turns acknowledged');
      if (added.json && left < 5) this.#ledger.count('turns acknowledged after a retry');
      return;
    }
  }

  async #chat(session: SessionLedger, mode: 'direct' | 'cycle'): Promise<void> {
    const conversation = await this.#conversation(session);
    if (!conversation) return;
    const text = this.#mark();
    const stream = this.#random.chance(0.5);
    conversation.unheard.add(text);
    const answer = await this.#send('POST', '/v2/chat/completions', {
      model: 'any',
      session_id: session.sessionId,
      conversation_id: conversation.conversationId,
      stream,
      covenant: { mode },
      messages: [{ role: 'user', content: text }],
    });
    if (answer?.status !== 200) return;
    const told = stream ? lastTold(answer.text) : answer.json;
    const memory = told?.['memory_metadata'] as { turn_ids?: string[]; conversation_id?: string } | undefined;
    if (!memory) return;
    this.#ledger.count(`${mode} chats acknowledged`);
    for (const id of memory.turn_ids ?? []) conversation.turnIds.add(id);
    if ((memory.turn_ids ?? []).length > 0) {
      conversation.unheard.delete(text);
      conversation.acknowledged.add(text);
    }
    const cycle = (told?.['covenant'] as { cycle_id?: string } | undefined)?.cycle_id;
    if (cycle !== undefined) session.cycles.add(cycle);
  }

  async #look(session: SessionLedger): Promise<void> {
    const base = `/api/v2/sessions/${session.sessionId}`;
    const path = this.#random.pick([
      base,
      `${base}/context?directive=the+ship`,
      `${base}/conversations`,
      `${base}/analytics`,
      `${base}/causal?query=why`,
      '/api/v2/status',
      '/health',
      '/health/ready',
    ]);
    await this.#send('GET', path);
    if (this.#random.chance(0.1)) await this.#send('POST', `${base}/export`);
  }

  async #erase(session: SessionLedger): Promise<void> {
    this.#sessions.splice(this.#sessions.indexOf(session), 1);
    // From here on nothing is promised of it but, once it was said, that it is gone.
    this.#ledger.sessions.delete(session.sessionId);
    const gone = await this.#send('DELETE', `/api/v2/sessions/${session.sessionId}`);
    if (gone?.status === 204) this.#ledger.erased.add(session.sessionId);
  }

  /** A text that stands nowhere else. */
  #mark(): string {
    this.#number += 1;
    return `${this.#name} says number ${String(this.#number)}: the crane and the ship.`;
  }

  /** Null when there was no whole answer: the server was killed, the client hung up, the upstream broke off. */
  async #send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer | null> {
    await this.#target.up();
    const url = this.#target.url();
    const hangsUp = method === 'POST' && this.#random.chance(0.05);
    const patience = AbortSignal.timeout(hangsUp ? this.#random.int(60) : HUNG_MS);
    try {
      const response = await fetch(url + path, {
        method,
        signal: patience,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      this.#ledger.count(`status ${String(response.status)}`);
      this.#check(method, path, response.status, text);
      return { status: response.status, text, json: parsed(text) };
    } catch {
      if (patience.aborted && !hangsUp) this.#ledger.fault(`${method} ${path} hung`);
      this.#ledger.count(hangsUp && patience.aborted ? 'hung up by the client' : 'broken off');
      return null;
    }
  }

  /** All that is asked here is right: what is refused is refused for what the upstream or a kill did. */
  #check(method: string, path: string, status: number, text: string): void {
    const mayFail = [429, 502, 503, 504].includes(status);
    // A conversation in which a cycle still runs takes no other one, and a key whose request is under way no second.
    const busy = status === 409 && /"code":"(?:cycle|idempotency)_conflict"/.test(text);
    if (status < 400 || mayFail || busy) return;
    this.#ledger.fault(`${method} ${path}: ${String(status)} ${text.slice(0, 400)}`);
  }
}

function parsed(text: string): Json | null {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** The last event of a stream that was whole. */
function lastTold(text: string): Json | null {
  if (!text.includes('data: [DONE]')) return null;
  const events = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data = '']) => parsed(data));
  return events.findLast((event) => event?.['memory_metadata'] !== undefined) ?? null;
}
