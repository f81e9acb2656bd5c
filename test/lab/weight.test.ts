import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/server-process.ts';

const read = (path: string) => readFile(join(ROOT, 'public', path), 'utf8');

describe('the built page', () => {
  it('takes less than 200 kB gzipped in all for its first paint', async () => {
    const files = ['resonant_loop_lab.html', 'icon.svg', 'assets/lab.js', 'assets/lab-style.css'];
    const sizes = await Promise.all(files.map(async (file) => gzipSync(await read(file)).length));
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(200_000);
  });

  it('names no other server, holds no script or style of its own in the page, and needs no eval', async () => {
    const html = await read('resonant_loop_lab.html');
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
    const script = await read('assets/lab.js');
    expect(script).not.toMatch(/\beval\(|\bnew Function\(/);
  });
});
