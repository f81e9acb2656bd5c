import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { folder } from './support.ts';

/** A small disk of its own, or null where this process may not have one. */
export function smallDisk(megabytes: number): string | null {
  const path = folder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${String(megabytes)}m`, 'tmpfs', path]);
  if (mounted.status !== 0) return null;
  onTestFinished(() => {
    execFileSync('umount', ['-l', path]);
  });
  return path;
}

/** Takes what room is left. */
export function fillUp(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let size = 1 << 20; size >= 1;) {
      try {
        if (writeSync(descriptor, Buffer.alloc(size)) < size) size >>= 1;
      } catch {
        size >>= 1;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
