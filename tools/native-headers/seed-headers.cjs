'use strict';
/**
 * Puts Node's own C++ headers where node-gyp looks for them before it tries to download them.
 *
 * better-sqlite3 compiles itself where no prebuilt binary can be fetched, and node-gyp then asks
 * nodejs.org for headers. Most Node installations already have them beside the executable
 * (`<prefix>/include/node`), so on a closed network a copy of those is all that is missing.
 * Never fails an install: without local headers node-gyp does what it always did.
 */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** The version of the header folder's layout that node-gyp 8 and later expects (its `installVersion`). */
const HEADER_LAYOUT_VERSION = '11';

function cacheFolder() {
  if (process.env.npm_config_devdir) return process.env.npm_config_devdir;
  const home = os.homedir();
  if (process.platform === 'darwin') return path.join(home, 'Library', 'Caches', 'node-gyp');
  if (process.platform === 'win32') {
    return path.join(process.env.LOCALAPPDATA || path.join(home, 'AppData', 'Local'), 'node-gyp', 'Cache');
  }
  return path.join(process.env.XDG_CACHE_HOME || path.join(home, '.cache'), 'node-gyp');
}

function seed() {
  if (process.platform === 'win32' || process.env.npm_config_nodedir) return;
  const prefix = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
  const headers = path.join(prefix, 'include', 'node');
  const target = path.join(cacheFolder(), process.versions.node);
  if (fs.existsSync(path.join(target, 'installVersion'))) return;
  const version = fs.readFileSync(path.join(headers, 'node_version.h'), 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(version)?.[1];
  const found = [part('MAJOR'), part('MINOR'), part('PATCH')].join('.');
  if (found !== process.versions.node) return;
  // Written beside the target and renamed, so that two installs at once never see half a folder.
  const staging = `${target}.${process.pid}`;
  fs.cpSync(headers, path.join(staging, 'include', 'node'), { recursive: true, dereference: true });
  fs.writeFileSync(path.join(staging, 'installVersion'), `${HEADER_LAYOUT_VERSION}\n`);
  fs.renameSync(staging, target);
}

try {
  seed();
} catch (error) {
  console.warn(`native-headers: node-gyp will look for Node's headers by itself (${error.message})`);
}
