import { resolve } from 'node:path';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { buildParts, type BuiltParts } from './build-parts.ts';
import { createLogger } from './base/logger.ts';
import { VERSION } from './base/project-root.ts';
import { prepareDataFolder, removeProjection, removeUnfinished } from './config/data-folder.ts';
import { helpText } from './config/describe.ts';
import { loadSettings, readEnvironment } from './config/load.ts';
import { ownSecrets } from './config/own-secrets.ts';
import { createHttpServer, type HttpServer } from './http/http-server.ts';
import { startFailure } from './start-failure.ts';
import { lockFolder } from './store/sqlite/folder-lock.ts';
import { maskLines } from './text/redaction/mask-lines.ts';
import { createMasker } from './text/redaction/masker.ts';
import { warmUpTexts } from './text/warm-up.ts';

/** The time kept back from CCC_SHUTDOWN_MS for telling clients how their cycles ended, in milliseconds. */
const LAST_WORDS_MS = 500;

// Standard output belongs to people: one line when the server listens. The log goes to standard error, as JSON.
const say = (text: string) => process.stdout.write(text);

async function run(): Promise<void> {
  const { settings: given, warnings } = loadSettings(readEnvironment());
  const settings = Object.freeze({ ...given, CCC_DATA_DIR: resolve(given.CCC_DATA_DIR) });
  const log = pino.destination({ dest: 2, sync: false, minLength: 4096, periodicFlush: 250 });
  const masker = createMasker(ownSecrets(settings));
  const logger = createLogger(settings.LOG_LEVEL, maskLines(masker, log));
  await prepareDataFolder(settings.CCC_DATA_DIR);
  const lock = await lockFolder(settings.CCC_DATA_DIR);
  await removeUnfinished(settings.CCC_DATA_DIR);
  if (settings.CCC_ENCRYPTION_KEY !== undefined) await removeProjection(settings.CCC_DATA_DIR);
  const parts = await buildParts(settings, logger);
  warmUpTexts();
  const server = createHttpServer(buildApp(parts));
  const port = await server.listen(settings.HOST, settings.PORT).catch(async (error: unknown) => {
    await parts.close();
    throw error;
  });
  stopOnSignals(parts, server, () => {
    log.flushSync();
    lock.release();
  });
  parts.start();
  say(startLine(parts, port));
  for (const warning of warnings) logger.warn(warning);
}

function startLine({ provider, settings, version }: BuiltParts, port: number): string {
  const host = settings.HOST.includes(':') ? `[${settings.HOST.replace(/^\[|\]$/g, '')}]` : settings.HOST;
  const { info } = provider;
  const who =
    info.name === 'rehearsal'
      ? 'rehearsal (built in, offline: set OPENAI_API_KEY or OPENAI_BASE_URL for a real model)'
      : `${info.name} at ${info.baseUrl ?? 'its own address'}, ${info.defaultModel}`;
  return `CCC ${version} listens on http://${host}:${String(port)} · provider: ${who} · data: ${placeOf(settings)}\n`;
}

/** Where the record is, without what opens it. */
function placeOf({ CCC_DATABASE_URL: url, CCC_DATA_DIR: folder }: BuiltParts['settings']): string {
  if (url === undefined) return folder;
  const { host, pathname } = new URL(url);
  return `PostgreSQL at ${host}${pathname}`;
}

function stopOnSignals(parts: BuiltParts, server: HttpServer, flush: () => void): void {
  const { logger, settings, state } = parts;
  const exit = (code: number): never => {
    flush();
    process.exit(code);
  };
  const stop = async (signal: string): Promise<void> => {
    // Someone is in a hurry.
    if (state.draining) exit(1);
    logger.info({ signal }, 'stopping');
    const limitMs = settings.CCC_SHUTDOWN_MS;
    state.drain();
    try {
      await Promise.all([server.stop(limitMs), parts.settle(Math.max(0, limitMs - LAST_WORDS_MS))]);
      await parts.close();
      logger.info('stopped');
      exit(0);
    } catch (error) {
      logger.fatal({ err: error }, 'could not stop in good order');
      exit(1);
    }
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
  const fatal = (error: unknown) => {
    logger.fatal({ err: error }, 'a fault that nobody handled');
    exit(1);
  };
  process.on('unhandledRejection', fatal);
  process.on('uncaughtException', fatal);
}

const [argument] = process.argv.slice(2);
if (argument === '--help' || argument === '-h') say(helpText(VERSION));
else if (argument === '--version' || argument === '-v') say(`${VERSION}\n`);
else {
  try {
    if (argument !== undefined) throw new Error(`There is no option ${argument}; see --help.`);
    await run();
  } catch (error) {
    process.stderr.write(`CCC cannot start: ${startFailure(error)}\n`);
    process.exit(1);
  }
}
