/**
 * As many requests as a server gets in a day that brings one each second, hour by hour, one after the other without the time in
 * between: `npm run bench:day [-- --requests 86400]`. Half of them go to `/v1`, the others to `/v2` in direct mode on
 * sessions that grow; a fifth are streams. After each hour the process's memory is looked at: what it holds in the last
 * quarter of the day may be no more than in the second, when all that is kept for speed is full.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { generator, question } from '../memory-data.ts';
import { readFlags, requireLinux, wholeNumber } from './flags.ts';
import { ask, processorTime, residentMegabytes, startHelper } from './processes.ts';
import { progress } from './progress.ts';
import { endingAll, endWhenStopped } from './running.ts';
import { spreadOf } from './spread.ts';
import { startCcc } from './targets.ts';

const HOURS = 24;
const SESSIONS = 64;
const CONNECTIONS = 32;
/** Memory may move by so much: what a collection has left for later, and what the record's page cache holds. */
const MOST_GROWTH = 1.05;
/** A server that is that slow is not measured to the end, in milliseconds. */
const LONGEST_MS = 30 * 60_000;
const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer sk-client' };

const { requests: given } = readFlags({ requests: { type: 'string', default: '86400' } });
const requests = wholeNumber('--requests', given, 10 * HOURS);
requireLinux();
endWhenStopped(LONGEST_MS);
const random = generator(7);
const begun = performance.now();
const { hours, sent, cpu } = await endingAll(aDay);

async function aDay() {
  const upstream = await startHelper('upstream.ts');
  const { child: client } = await startHelper('load.ts');
  const server = await startCcc(upstream.port);
  const pid = server.child.pid ?? 0;
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => newSession(server.url)));
  const hours: number[] = [];
  let sent = 0;
  const send = async (version: 'v1' | 'v2', stream: boolean, count: number) => {
    await ask(client, {
      port: server.port,
      path: `/${version}/chat/completions`,
      headers: HEADERS,
      bodies: bodies(version === 'v1' ? [] : sessions, stream),
      connections: CONNECTIONS,
      forMs: LONGEST_MS,
      requests: count,
    });
    sent += count;
  };
  const anHour = Math.floor(requests / HOURS);
  for (let hour = 1; hour <= HOURS; hour += 1) {
    progress(`hour ${String(hour)} of ${String(HOURS)}`);
    await send('v1', false, Math.floor(anHour * 0.4));
    await send('v1', true, Math.floor(anHour * 0.1));
    await send('v2', false, Math.floor(anHour * 0.4));
    await send('v2', true, Math.floor(anHour * 0.1));
    await wait(500);
    hours.push(residentMegabytes(pid));
  }
  progress('');
  return { hours, sent, cpu: processorTime(pid) / 1e6 };
}

async function newSession(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v2/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  return ((await response.json()) as { session_id: string }).session_id;
}

/** Questions to the sessions in turn; to none where none is named. */
function bodies(sessions: readonly string[], stream: boolean): string[] {
  return Array.from({ length: SESSIONS * 8 }, (_, at) =>
    JSON.stringify({
      model: 'bench',
      stream,
      messages: [{ role: 'user', content: `${question(random)} (NUMBER)` }],
      ...(sessions.length === 0 ? {} : { session_id: sessions[at % SESSIONS], covenant: { mode: 'direct' } }),
    }),
  );
}

const [second, last] = [hours.slice(6, 12), hours.slice(-6)].map((quarter) => spreadOf(quarter).median) as [
  number,
  number,
];
console.log(`resident after each hour, MB: ${hours.map((megabytes) => megabytes.toFixed(0)).join(' ')}`);
const growth = last / second;
console.log(
  `${sent.toLocaleString('en')} requests in ${((performance.now() - begun) / 1000).toFixed(0)} s, ${cpu.toFixed(0)} s of ` +
    `processor time; the last quarter of the day holds ${growth.toFixed(2)} times the second's ` +
    `(at most ${String(MOST_GROWTH)}: ${growth <= MOST_GROWTH ? 'yes' : 'NO'})`,
);
process.exit(growth <= MOST_GROWTH ? 0 : 1);
