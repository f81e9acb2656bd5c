import { CccError } from './base/ccc-error.ts';
import { SettingsError } from './config/load.ts';

/** Why the server did not start, in one line for a person. */
export function startFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'for an unknown reason.';
  const text =
    error instanceof SettingsError
      ? error.message
      : (listenFailure(error) ?? storeFailure(error) ?? error.message);
  return text.replace(/\s+/g, ' ');
}

/** What went wrong with listening; null when it was something else. */
function listenFailure(error: NodeJS.ErrnoException & { address?: string; port?: number }): string | null {
  if (error.syscall !== 'listen' && error.syscall !== 'getaddrinfo') return null;
  const port = String(error.port ?? '');
  const texts: Record<string, string> = {
    EADDRINUSE: `port ${port} on ${error.address ?? 'this address'} is in use. Stop what uses it, or set PORT.`,
    EACCES: `port ${port} may not be used by this user. Set PORT to one above 1023.`,
    EADDRNOTAVAIL: 'the address of HOST is not one of this machine.',
    ENOTFOUND: 'the name of HOST is not known.',
  };
  return texts[error.code ?? ''] ?? null;
}

function storeFailure(error: Error): string | null {
  if (!(error instanceof CccError)) return null;
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message} (${cause})`;
}
