/** What the tests use of compatcanary, which brings no types. */
declare module 'compatcanary' {
  export function scanEndpoint(options: {
    baseUrl: string;
    apiKey: string;
    model: string;
    profile: string;
    timeoutMs: number;
  }): Promise<{ score: number; results: { id: string; status: string }[] }>;
}
