/**
 * An upstream that answers at once, as a process of its own: 1 kB of JSON, or 50 chunks of a stream. To a covenant
 * cycle it gives guidance, a draft and an approval. Sends its port to the parent.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const CHUNKS = 50;
const APPROVAL = '{"decision":"approve","issues":[],"resolved":[],"criteria":[],"lesson":null}';
const WORDS = 'The violin teacher lives by the harbour, near the old bridge, and teaches on Mondays. ';
const USAGE = { prompt_tokens: 20, completion_tokens: 50, total_tokens: 70 };

const completion = (content: string) =>
  Buffer.from(
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1_767_225_600,
      model: 'bench',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: USAGE,
    }),
  );
const event = (delta: object, finish: string | null = null) =>
  Buffer.from(
    `data: ${JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion.chunk',
      created: 1_767_225_600,
      model: 'bench',
      choices: [{ index: 0, delta, finish_reason: finish }],
    })}\n\n`,
  );

const DONE = Buffer.from('data: [DONE]\n\n');
const streamOf = (parts: string[]) => [
  event({ role: 'assistant', content: '' }),
  ...parts.map((content) => event({ content })),
  event({}, 'stop'),
  DONE,
];

const plain = { json: completion(WORDS.repeat(9)), chunks: streamOf(Array<string>(CHUNKS).fill('word ')) };
const approval = { json: completion(APPROVAL), chunks: streamOf([APPROVAL]) };
const guidance = {
  json: completion('Answer in one sentence.'),
  chunks: streamOf(['Answer in one sentence.']),
};

const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (req, res) => {
  let body = '';
  req.setEncoding('utf8').on('data', (part: string) => (body += part));
  req.on('end', () => {
    const answer = body.includes('CCC-Role: verdict')
      ? approval
      : body.includes('CCC-Role: guidance')
        ? guidance
        : plain;
    if (body.includes('"stream":true')) stream(res, answer.chunks);
    else {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.json.length });
      res.end(answer.json);
    }
  });
});

function stream(res: ServerResponse, chunks: readonly Buffer[]): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks) res.write(chunk);
  res.end();
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
