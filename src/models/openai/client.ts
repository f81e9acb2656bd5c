import OpenAI from 'openai';
import { fetch as undiciFetch, type Dispatcher } from 'undici';
import type { UpstreamAddress } from './upstream-address.ts';

/**
 * The official SDK on an address.
 * @param dispatcher the connections to use: Node's own `fetch` gives up after 300 s without headers, whatever the time-out says
 */
export function createClient(address: UpstreamAddress, dispatcher: Dispatcher): OpenAI {
  return new OpenAI({
    baseURL: address.origin + address.root,
    defaultQuery: address.query,
    // The SDK insists on a key; the header it would make of it is replaced, or left out where none is wanted.
    apiKey: 'set by the header',
    defaultHeaders: { authorization: address.authorization },
    // Not from the environment: settings are read once, by src/config.
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: undiciFetch as unknown as typeof fetch,
    fetchOptions: { dispatcher } as object,
  });
}
