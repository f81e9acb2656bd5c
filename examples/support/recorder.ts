import { createServer, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Recorder {
  /** The base URL to give to a client. */
  url: string;
  /** True when one of the recorded requests holds the text in one of its messages. */
  promptsContain(text: string): boolean;
  clear(): void;
  close(): Promise<void>;
}

/** A server that keeps the body of each request and passes it on to `upstream`, whose answer comes back unchanged. */
export async function startRecorder(upstream: string): Promise<Recorder> {
  const prompts: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      prompts.push(textOfMessages(body.toString('utf8')));
      const target = new URL(upstream.replace(/\/$/, '') + (incoming.url ?? ''));
      const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const { host: _host, ...headers } = incoming.headers;
      const call = send(target, { method: incoming.method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      call.on('error', (error) => outgoing.destroy(error));
      call.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    promptsContain: (text) => prompts.some((prompt) => prompt.includes(text)),
    clear: () => {
      prompts.length = 0;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  };
}

function textOfMessages(body: string): string {
  if (body === '') return '';
  const { messages = [] } = JSON.parse(body) as { messages?: { content?: unknown }[] };
  return messages
    .map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)))
    .join('\n');
}
