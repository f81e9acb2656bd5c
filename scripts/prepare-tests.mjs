/**
 * Brings what the tests need and npm cannot: a Chromium for the page's tests. As root on Debian it installs
 * the package; elsewhere it says what to install. `CHROMIUM_PATH` names a browser that stands somewhere else.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findChromium } from './find-chromium.mjs';

function run(command, args) {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

if (!findChromium()) {
  const debianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (debianRoot) {
    console.log('Installing chromium for the browser tests (apt-get) …');
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core']);
  }
  if (!findChromium()) {
    console.error(
      'The browser tests need Chromium or Chrome. Install it (Debian: apt-get install chromium; macOS: brew install --cask chromium),\n' +
        'or set CHROMIUM_PATH to its executable, then run npm test again.',
    );
    process.exit(1);
  }
}
