/** Where calls go, taken apart: credentials in the address are used for calling and never shown. */
export interface UpstreamAddress {
  origin: string;
  /** Path of the API root without a slash at its end: `/v1`. */
  root: string;
  /** Query that every call carries, as some gateways want it (`api-version=…`). */
  query: Record<string, string>;
  /** The value of the Authorization header; null when the upstream wants none. */
  authorization: string | null;
  /** What a call carries of secrets, to be kept out of whatever leaves this server. */
  secrets: string[];
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
    // A query such as `api-version=1` is short and no secret; a key in it is long.
    secrets: [apiKey ?? '', password, user || password ? basic : '', ...Object.values(query)].filter(
      (text) => text.length >= SHORTEST_SECRET,
    ),
    shown: url.origin + root,
  };
}

/** Below this length a text is no secret worth the name, and masking it would garble ordinary words. */
const SHORTEST_SECRET = 12;

/** The text with every secret in it replaced by asterisks. Some servers quote the key they refuse. */
export function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, '*'.repeat(secret.length)), text);
}
