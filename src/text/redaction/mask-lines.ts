import type { Masker } from './masker.ts';

interface Lines {
  write(line: string): unknown;
}

/** A place for log lines that gets them without the secrets in them. */
export function maskLines(masker: Masker, destination: Lines): { write(line: string): void } {
  return {
    write: (line) => {
      destination.write(masker.mask(line)?.text ?? line);
    },
  };
}
