import { scanEndpoint } from 'compatcanary';
import { failure, json, type UpstreamReply } from '../support/upstream.ts';
import type { Connection } from './client.ts';
import { answers, responds } from './script.ts';

/** What compatcanary finds: each probe's status, and the score that it makes of them. */
export interface Found {
  score: number;
  probes: Record<string, string>;
}

/** `modern` has the Responses API too, which is under `/v1` only. */
export type Profile = 'modern' | 'chat';

export async function scan({ baseURL, apiKey }: Connection, profile: Profile): Promise<Found> {
  const report = await scanEndpoint({ baseUrl: baseURL, apiKey, model: 'm', profile, timeoutMs: 10_000 });
  return {
    score: report.score,
    probes: Object.fromEntries(report.results.map(({ id, status }) => [id, status])),
  };
}

const MODELS = json({ object: 'list', data: [{ id: 'm', object: 'model', created: 1, owned_by: 'up' }] });

function plays(faults: { status: string; responses: UpstreamReply }): UpstreamReply {
  const chat = answers(({ json: { tools, response_format } }) => {
    if (tools) {
      const { name } = tools[0].function as { name: string };
      return { toolCalls: [{ id: 'call_1', name, arguments: '{"value":"CANARY_OK"}' }] };
    }
    return { content: response_format ? JSON.stringify({ status: faults.status }) : 'CANARY_OK' };
  });
  return (res, call) => {
    const reply = call.path === '/models' ? MODELS : call.path === '/responses' ? faults.responses : chat;
    return reply(res, call);
  };
}

/** Two upstreams: one that passes everything, and one with a wrong structured output and no Responses API. */
export const UPSTREAMS: { name: string; reply: UpstreamReply }[] = [
  { name: 'a whole one', reply: plays({ status: 'ok', responses: responds('CANARY_OK') }) },
  { name: 'one with faults', reply: plays({ status: 'fine', responses: failure(404) }) },
];
