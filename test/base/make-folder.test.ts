import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/base/make-folder.ts';

describe('making a folder', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ccc-folder-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it('makes those above it too, for their owner alone, and takes what is there', () => {
    const folder = join(root, 'a', 'b', 'c');
    makeFolder(folder);
    makeFolder(folder);
    for (const each of [folder, join(root, 'a')]) expect(statSync(each).mode & 0o777).toBe(0o700);
  });

  it('says what is in its way', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => {
      makeFolder(join(root, 'file', 'below'));
    }).toThrow(/ENOTDIR/);
  });

  it.runIf(existsSync('/proc/self'))('ends where the system lies about what exists', () => {
    expect(() => {
      makeFolder('/proc/ccc-test/data');
    }).toThrow(/ENOENT|EACCES|EROFS|EPERM/);
  });
});
