import { keySecret, longSecret, type Secret } from './secrets.ts';

/** Where calls go, taken apart: credentials in the address are used for calling and never shown. */
export interface UpstreamAddress {
  origin: string;
  /** Path of the API root without a slash at its end: `/v1`. */
  root: string;
  /** Query that every call carries, as some gateways want it (`api-version=…`). */
  query: Record<string, string>;
  /** The value of the Authorization header; null when the upstream wants none. */
  authorization: string | null;
  /** What a call carries of secrets, to be kept out of whatever leaves this server. The longest first: it may hold another. */
  secrets: Secret[];
  /** For people: no credentials, no query. */
  shown: string;
}

/** Reads a base URL and a key. A key wins over a name and password in the URL: a call has one Authorization header. */
export function upstreamAddress(baseUrl: string, apiKey: string | undefined): UpstreamAddress {
  const url = new URL(baseUrl);
  const root = url.pathname.replace(/\/+$/, '');
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  const query = Object.fromEntries(url.searchParams);
  return {
    origin: url.origin,
    root,
    query,
    authorization: apiKey ? `Bearer ${apiKey}` : user || password ? `Basic ${basic}` : null,
    secrets: [
      ...[apiKey ?? '', password, user || password ? basic : ''].map(keySecret),
      ...Object.values(query).map(longSecret),
    ]
      .filter((secret) => secret !== null)
      .sort((a, b) => b.bytes.length - a.bytes.length),
    shown: url.origin + root,
  };
}
