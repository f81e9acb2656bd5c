import type { Connection } from './client.ts';
import type { ClientServer } from './server.ts';

export type PathName = '/v1' | '/v2 direct' | '/v2 cycle';

/** A way through CCC, and how a client is pointed to it. Where a session is named, in either of the ways that need no field. */
export interface Path {
  name: PathName;
  ways: { how: string; connect(server: ClientServer): Promise<Connection> }[];
}

const byBoth = (mode: 'direct' | 'cycle'): Path['ways'] => [
  { how: 'by the token as key', connect: (server) => server.session(mode, 'token') },
  { how: 'by the base URL', connect: (server) => server.session(mode, 'url') },
];

export const PATHS: Path[] = [
  {
    name: '/v1',
    ways: [
      {
        how: 'with any key',
        connect: ({ url }) => Promise.resolve({ baseURL: `${url}/v1`, apiKey: 'sk-of-the-client' }),
      },
    ],
  },
  { name: '/v2 direct', ways: byBoth('direct') },
  { name: '/v2 cycle', ways: byBoth('cycle') },
];
