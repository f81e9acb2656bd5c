import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { withSecretFile } from '../../src/config/secret-file.ts';

describe('a key in a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ccc-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const load = (environment: Record<string, string>) =>
    loadSettings(withSecretFile(environment, 'CCC_ENCRYPTION_KEY')).settings.CCC_ENCRYPTION_KEY;

  it('is the same as the key itself, without the line end of the file', () => {
    const file = join(folder, 'key');
    writeFileSync(file, 'a passphrase in a file\n');
    expect(load({ CCC_ENCRYPTION_KEY_FILE: file })).toBe('a passphrase in a file');
    expect(load({ CCC_ENCRYPTION_KEY: 'a passphrase in a file' })).toBe('a passphrase in a file');
    expect(load({ CCC_ENCRYPTION_KEY_FILE: '' })).toBeUndefined();
  });

  it('that is not there, empty, or there twice is refused by the name of the setting', () => {
    const file = join(folder, 'key');
    expect(() => load({ CCC_ENCRYPTION_KEY_FILE: file })).toThrow(/CCC_ENCRYPTION_KEY_FILE.*ENOENT/);
    writeFileSync(file, ' \n');
    expect(() => load({ CCC_ENCRYPTION_KEY_FILE: file })).toThrow(/CCC_ENCRYPTION_KEY_FILE.*empty/);
    expect(() => load({ CCC_ENCRYPTION_KEY_FILE: file, CCC_ENCRYPTION_KEY: 'x'.repeat(20) })).toThrow(/both/);
  });

  it('that is too short is refused, and not shown', () => {
    const file = join(folder, 'key');
    writeFileSync(file, 'tiny-secret');
    const refused = () => load({ CCC_ENCRYPTION_KEY_FILE: file });
    expect(refused).toThrow(/CCC_ENCRYPTION_KEY is wrong: must have at least 16/);
    expect(refused).not.toThrow(/tiny-secret/);
  });
});
