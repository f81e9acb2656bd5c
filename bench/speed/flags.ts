import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Reads the flags of a benchmark, which takes nothing else; ends the process with what is wrong about them. */
export function readFlags<T extends NonNullable<ParseArgsConfig['options']>>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** Says what is wrong about the call, and ends the process. */
export function refuse(words: string): never {
  console.error(words);
  process.exit(2);
}

/** Reads a whole number; ends the process where it is none, or too small. */
export function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least)
    refuse(`${flag}: a whole number from ${String(least)}.`);
  return number;
}

/** What is read of processes is in /proc. */
export function requireLinux(): void {
  if (process.platform !== 'linux') refuse('Memory and processor time are read from /proc: only on Linux.');
}
