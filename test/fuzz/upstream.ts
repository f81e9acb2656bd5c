import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Random } from './random.ts';
import { anything, broken } from './values.ts';

/** Stands in every word of this upstream, so that what is its own is told from what the server says. */
export const MARK = 'fuzzed-upstream';

/** An upstream that answers well, badly, or not at all. */
export async function startBadUpstream(seed: number): Promise<{ url: string; close: () => Promise<void> }> {
  let asked = 0;
  const server: Server = createServer((req, res) => {
    const random = new Random(seed, (asked += 1));
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      answer(res, Buffer.concat(parts).includes('"stream":true'), random);
    });
    req.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const VERDICTS = [
  '{"decision":"approve","issues":[],"resolved":[],"criteria":[],"lesson":null}',
  '{"decision":"revise","issues":[{"id":"i1","severity":"major","where":"here","fix":"Mend it."}],"resolved":[],"criteria":[]}',
  '```json\n{"decision":"ask_person","issues":[]}\n```',
  'APPROVED',
  '{"decision":"approve"',
  '',
];

function completion(random: Random): object {
  const content = random.chance(0.5) ? random.pick(VERDICTS) : `It is so (${MARK}).`;
  const message = { role: 'assistant', content };
  const whole = {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: MARK,
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
  };
  if (random.chance(0.8)) return whole;
  return { ...whole, [random.pick(['choices', 'usage', 'id', 'created', 'model'])]: anything(random) };
}

function events(random: Random): string {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: MARK, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const pieces = [
    chunk({ role: 'assistant', content: '' }),
    ...(random
      .pick(VERDICTS)
      .match(/.{1,9}/gs)
      ?.map((content) => chunk({ content })) ?? []),
    chunk({}, 'stop'),
    'data: [DONE]\n\n',
  ];
  if (random.chance(0.7)) return pieces.join('');
  const at = random.int(pieces.length);
  pieces[at] = random.pick([
    '',
    'data: {"broken\n\n',
    ': comment\n\n',
    'event: error\ndata: {"error":{"message":"gone"}}\n\n',
    `data: ${JSON.stringify(anything(random))}\n\n`,
    'data\n\n',
    'data: [DONE]\n\n',
    '\r\r\n\n',
  ]);
  return pieces.join('');
}

function answer(res: ServerResponse, stream: boolean, random: Random): void {
  res.on('error', () => undefined);
  const kind = random.int(20);
  res.setHeader('x-upstream', MARK);
  if (kind === 0) {
    res.destroy();
    return;
  }
  if (kind === 1) {
    const error = random.chance(0.7)
      ? { message: MARK, type: 'x', code: null, param: null }
      : anything(random);
    res.writeHead(random.pick([400, 401, 404, 422, 429, 500, 503]), { 'content-type': 'application/json' });
    res.end(JSON.stringify({ error, mark: MARK }));
    return;
  }
  const body = Buffer.from(
    stream && random.chance(0.95) ? events(random) : JSON.stringify(completion(random)),
  );
  const bytes = random.chance(0.05) ? broken(body, random) : body;
  res.writeHead(200, {
    'content-type': random.chance(0.97)
      ? stream
        ? 'text/event-stream'
        : 'application/json'
      : random.pick(['text/plain', 'application/octet-stream', 'text/html; charset=x']),
  });
  if (kind === 2) {
    res.write(bytes.subarray(0, random.int(bytes.length + 1)));
    setTimeout(() => res.destroy(), random.int(5));
    return;
  }
  res.end(bytes);
}
