import { z } from 'zod';
import {
  manyEvents,
  manyLinks,
  oneEvent,
  oneLink,
  changeEvent,
  changeLink,
} from '../../src/http/causal/schemas.ts';
import { fields } from '../../src/http/chat/fields.ts';
import { decisionBody } from '../../src/http/cycles/cycles-router.ts';
import { startBody } from '../../src/http/cycles/start-cycle.ts';
import { correction, fact } from '../../src/http/memory/facts-router.ts';
import { lesson, lessonChange } from '../../src/http/memory/lessons-router.ts';
import * as memory from '../../src/http/memory/schemas.ts';
import type { Random } from './random.ts';
import { anything, broken, fromSchema, mutated, text } from './values.ts';

export interface FuzzRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | null;
}

/** Ids that requests before have brought to light, by their beginning. */
export class KnownIds {
  readonly #known: string[] = ['sess_none', 'conv_none', 'turn_none', 'cyc_none', 'evt_none', 'les_none'];

  note(answer: string): void {
    for (const [id] of answer
      .slice(0, 5_000)
      .matchAll(/\b(?:sess|conv|turn|cyc|evt|link|les|fact)_[0-9a-f-]{36}\b/g))
      this.#known.push(id);
    // The newest are the likeliest to be there still.
    if (this.#known.length > 400) this.#known.splice(6, this.#known.length - 300);
  }

  one(random: Random, kind?: string): string {
    const fitting = kind === undefined ? this.#known : this.#known.filter((id) => id.startsWith(kind));
    return random.pick(fitting);
  }
}

const jsonSchema = (schema: z.ZodType): unknown =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', cycles: 'ref' });

const message = (random: Random) => ({
  role: random.pick(['user', 'user', 'user', 'system', 'assistant', 'tool', 'developer']),
  content: random.chance(0.8)
    ? random.pick(['Why did the roof leak?', 'Name three fruits.', text(random)])
    : [
        { type: 'text', text: text(random) },
        { type: 'image_url', image_url: { url: 'data:,x' } },
      ],
});

const CHAT_FIELDS = jsonSchema(fields) as { properties: Record<string, unknown> };

function chat(random: Random, ids: KnownIds): unknown {
  return {
    model: 'm',
    messages: Array.from({ length: 1 + random.int(4) }, () => message(random)),
    ...(random.chance(0.4) ? { stream: random.chance(0.8) } : {}),
    ...(random.chance(0.8) ? { session_id: ids.one(random, 'sess') } : {}),
    ...(random.chance(0.4)
      ? { covenant: fromSchema(CHAT_FIELDS.properties['covenant'], random, () => ids.one(random)) }
      : {}),
    ...(random.chance(0.3)
      ? {
          memory_options: fromSchema(CHAT_FIELDS.properties['memory_options'], random, () => ids.one(random)),
        }
      : {}),
    ...(random.chance(0.1) ? { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] } : {}),
    ...(random.chance(0.1) ? { response_format: anything(random) } : {}),
    ...(random.chance(0.2) ? { temperature: random.next() } : {}),
  };
}

type Body = ((random: Random, ids: KnownIds) => unknown) | null;

const of = (schema: z.ZodType): Body => {
  const known = jsonSchema(schema);
  return (random, ids) => fromSchema(known, random, () => ids.one(random));
};

/** Every route, with what its body is to be. `:sess` and the like are ids; the number is how often, beside the others. */
const ROUTES: readonly [weight: number, method: string, path: string, body: Body][] = [
  [4, 'POST', '/v1/chat/completions', chat],
  [1, 'POST', '/v1/embeddings', () => ({ model: 'm', input: 'x' })],
  [1, 'GET', '/v1/models', null],
  [1, 'GET', '/v1/models/some%2Fmodel', null],
  [1, 'POST', '/v1/responses', chat],
  [6, 'POST', '/v2/chat/completions', chat],
  [2, 'POST', '/v2/sessions/:sess/chat/completions', chat],
  [1, 'GET', '/v2/models', null],
  [1, 'GET', '/v2/models/a/b', null],
  [6, 'POST', '/api/v2/sessions', of(memory.createSession)],
  [4, 'GET', '/api/v2/sessions', null],
  [4, 'GET', '/api/v2/sessions/:sess', null],
  [1, 'DELETE', '/api/v2/sessions/:sess', null],
  [4, 'PUT', '/api/v2/sessions/:sess/preferences', of(memory.putPreferences)],
  [1, 'POST', '/api/v2/sessions/:sess/archive', null],
  [1, 'GET', '/api/v2/sessions/:sess/analytics', null],
  [1, 'POST', '/api/v2/sessions/:sess/export', null],
  [1, 'POST', '/api/v2/sessions/import', null],
  [3, 'GET', '/api/v2/sessions/:sess/budget', null],
  [4, 'GET', '/api/v2/sessions/:sess/conversations', null],
  [6, 'POST', '/api/v2/conversations', of(memory.createConversation)],
  [4, 'GET', '/api/v2/conversations/:conv', null],
  [8, 'POST', '/api/v2/conversations/:conv/turns', of(memory.oneTurn)],
  [2, 'POST', '/api/v2/conversations/:conv/turns', of(memory.manyTurns)],
  [5, 'GET', '/api/v2/sessions/:sess/context', null],
  [5, 'POST', '/api/v2/sessions/:sess/context/search', of(memory.search)],
  [3, 'GET', '/api/v2/sessions/:sess/context/summary', null],
  [3, 'PUT', '/api/v2/sessions/:sess/context/summary', of(memory.putSummary)],
  [3, 'GET', '/api/v2/sessions/:sess/agents/:agent/state', null],
  [4, 'PUT', '/api/v2/sessions/:sess/agents/:agent/state', of(memory.putState)],
  [3, 'GET', '/api/v2/sessions/:sess/agents/:agent/lessons', null],
  [4, 'POST', '/api/v2/sessions/:sess/agents/:agent/lessons', of(lesson)],
  [4, 'PATCH', '/api/v2/sessions/:sess/agents/:agent/lessons/:les', of(lessonChange)],
  [1, 'DELETE', '/api/v2/sessions/:sess/agents/:agent/lessons/:les', null],
  [2, 'GET', '/api/v2/sessions/:sess/agents/:agent/lessons/:les/history', null],
  [3, 'GET', '/api/v2/sessions/:sess/facts', null],
  [4, 'POST', '/api/v2/sessions/:sess/facts', of(fact)],
  [3, 'GET', '/api/v2/sessions/:sess/facts/:fact', null],
  [4, 'PATCH', '/api/v2/sessions/:sess/facts/:fact', of(correction)],
  [1, 'DELETE', '/api/v2/sessions/:sess/facts/:fact', null],
  [2, 'POST', '/api/v2/sessions/:sess/cycles', of(startBody)],
  [3, 'GET', '/api/v2/sessions/:sess/cycles', null],
  [3, 'GET', '/api/v2/cycles/:cyc', null],
  [1, 'GET', '/api/v2/cycles/:cyc/events', null],
  [2, 'POST', '/api/v2/cycles/:cyc/cancel', null],
  [2, 'POST', '/api/v2/cycles/:cyc/resume', null],
  [2, 'POST', '/api/v2/cycles/:cyc/decision', of(decisionBody)],
  [3, 'GET', '/api/v2/sessions/:sess/causal', null],
  [2, 'GET', '/api/v2/sessions/:sess/causal/graph', null],
  [3, 'GET', '/api/v2/sessions/:sess/causal/events', null],
  [4, 'POST', '/api/v2/sessions/:sess/causal/events', of(oneEvent)],
  [2, 'POST', '/api/v2/sessions/:sess/causal/events', of(manyEvents)],
  [2, 'PATCH', '/api/v2/sessions/:sess/causal/events/:evt', of(changeEvent)],
  [1, 'POST', '/api/v2/sessions/:sess/causal/events/:evt/confirm', null],
  [2, 'GET', '/api/v2/sessions/:sess/causal/events/:evt/why', null],
  [2, 'GET', '/api/v2/sessions/:sess/causal/events/:evt/effects', null],
  [1, 'DELETE', '/api/v2/sessions/:sess/causal/events/:evt', null],
  [4, 'POST', '/api/v2/sessions/:sess/causal/links', of(oneLink)],
  [2, 'POST', '/api/v2/sessions/:sess/causal/links', of(manyLinks)],
  [2, 'PATCH', '/api/v2/sessions/:sess/causal/links/:link', of(changeLink)],
  [1, 'DELETE', '/api/v2/sessions/:sess/causal/links/:link', null],
  [1, 'GET', '/api/v2/analytics', null],
  [1, 'GET', '/api/v2/status', null],
  [1, 'GET', '/api/v2/jobs/failed', null],
  [1, 'POST', '/api/v2/jobs/failed/retry', null],
  [1, 'GET', '/health', null],
  [1, 'GET', '/health/ready', null],
  [1, 'GET', '/metrics', null],
  [1, 'GET', '/', null],
  [1, 'GET', '/resonant_loop_lab.html', null],
  [1, 'GET', '/assets/lab.js', null],
];
const WEIGHT = ROUTES.reduce((sum, [weight]) => sum + weight, 0);

function route(random: Random): (typeof ROUTES)[number] {
  let at = random.int(WEIGHT);
  for (const each of ROUTES) if ((at -= each[0]) < 0) return each;
  return ROUTES[0] as (typeof ROUTES)[number];
}

const QUERY = [
  'limit',
  'cursor',
  'from',
  'directive',
  'query',
  'max_turns',
  'max_tokens',
  'conversation_id',
  'history',
  'after',
  'around',
  'name',
];

function query(random: Random, ids: KnownIds): string {
  if (random.chance(0.5)) return '';
  const parts = Array.from({ length: 1 + random.int(3) }, () => {
    const value = random.pick(['1', '20', 'true', 'why did it rain', ids.one(random), text(random)]);
    return `${random.pick(QUERY)}=${encoded(value)}`;
  });
  return `?${parts.join('&')}`;
}

/** Percent encoding that takes broken surrogates too. */
function encoded(value: string): string {
  return [...Buffer.from(value.slice(0, 2_000))]
    .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
    .join('');
}

const PATH_TRICKS = [
  '/..%2f..%2fetc%2fpasswd',
  '/assets/../../package.json',
  '/assets/%2e%2e/%2e%2e/.env',
  '/assets/..%5c..%5c.env',
  '//etc/passwd',
  '/api/v2/sessions/%00',
  '/api/v2/sessions/%ff',
  '/api/v2/sessions/%',
  '/api/v2/sessions/%E0%A4%A',
  '/v1/../api/v2/sessions',
  '/v1/%2e%2e/metrics',
  '/v1',
  '/v1/',
  '/v1//chat/completions',
  '/API/V2/SESSIONS',
  '/api/v2/sessions/',
  '/health/../metrics',
  '/favicon.ico',
  '/?/../..',
  '/;a=b',
  `/${'a'.repeat(5_000)}`,
  `/api/v2/sessions/${'s'.repeat(5_000)}`,
];

const VERBS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];

/** The request of this number: the same for the same random numbers and the same ids. */
export function fuzzRequest(random: Random, ids: KnownIds): FuzzRequest {
  const [, method, pattern, body] = route(random);
  const filled = pattern.replace(/:(sess|conv|cyc|evt|link|les|fact|agent)/g, (_, kind: string) =>
    kind === 'agent'
      ? random.pick(['wykeve', 'beatrice', 'codey', 'codey', 'nobody'])
      : random.chance(0.03)
        ? encoded(text(random))
        : ids.one(random, `${kind}_`),
  );
  const path = random.chance(0.02) ? random.pick(PATH_TRICKS) : filled + query(random, ids);
  const verb = random.chance(0.02) ? random.pick(VERBS) : method;
  const headers: Record<string, string> = {};
  if (random.chance(0.05)) headers['x-ccc-session-id'] = ids.one(random);
  if (random.chance(0.02))
    headers['authorization'] = random.pick(['Bearer x', 'Bearer ccc_sess_x', 'Basic eA==', 'x', 'Bearer']);
  if (random.chance(0.05)) headers['idempotency-key'] = random.pick(['k1', 'k2', 'k3', 'x'.repeat(300), ' ']);
  if (random.chance(0.02)) headers['last-event-id'] = random.pick(['1', '-1', 'x', '99999999999999999999']);
  if (random.chance(0.01)) headers['accept-encoding'] = random.pick(['gzip', 'br', 'x', '*;q=0']);
  if (verb === 'GET' || verb === 'HEAD' || (body === null && random.chance(0.95))) {
    return { method: verb, path, headers, body: null };
  }
  return {
    method: verb,
    path,
    headers: { ...headers, ...bodyHeaders(random) },
    body: bytesOf(body, random, ids),
  };
}

function bodyHeaders(random: Random): Record<string, string> {
  if (random.chance(0.94)) return { 'content-type': 'application/json' };
  return random.pick<Record<string, string>>([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/x-ndjson' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    { 'content-type': 'application/json', 'content-encoding': 'bogus' },
    {},
  ]);
}

function bytesOf(body: Body, random: Random, ids: KnownIds): Buffer {
  const value = body ? body(random, ids) : anything(random);
  let sent = value;
  for (let times = random.pick([0, 0, 1, 1, 2, 5]); times > 0; times -= 1) sent = mutated(sent, random);
  const bytes = Buffer.from(JSON.stringify(sent));
  return random.chance(0.06) ? broken(bytes, random) : bytes;
}
