import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWriterConnection, preparedSql } from '../../src/store/sqlite/connection.ts';
import { activityModule } from '../../src/store/sqlite/activity.ts';
import { causalModule } from '../../src/store/sqlite/causal-store.ts';
import { causalVectorsModule } from '../../src/store/sqlite/causal-vectors.ts';
import { migrationFolder, readMigrations } from '../../src/store/migration-files.ts';
import { migrate } from '../../src/store/sqlite/migrations.ts';
import { newEvent } from '../../src/causal/create-causal-memory.ts';
import { sessionsModule } from '../../src/store/sqlite/sessions.ts';
import { analyse } from '../../src/text/analyse.ts';
import { NOON, temporaryFolder } from './support.ts';

type PendingEvent = ReturnType<ReturnType<typeof causalVectorsModule.create>['pending']>[number];

describe('what causal memory asks of SQLite', () => {
  it('never reads all of a session, on a record that has no statistics yet', () => {
    const database = openWriterConnection(join(temporaryFolder(), 'record.db'));
    migrate(database, readMigrations(migrationFolder('sqlite')));
    const causal = causalModule.create(database);
    const vectors = causalVectorsModule.create(database);
    const activity = activityModule.create(database);
    const session = sessionsModule.create(database);
    const [sessionId, now] = ['s', NOON];
    session.create({ sessionId, tokenHash: 't', userPreferences: {}, initialContext: null, now });
    const before = { happenedAt: NOON, eventNo: 3 };
    database.transaction(() => {
      const events = ['a rope broke', 'a crate fell', 'a rope was bought'].map((text) =>
        newEvent({ text, actor: 'Ana', happenedAt: NOON }, NOON),
      );
      causal.addEvents({ sessionId, events, jobs: [], progress: null, now });
      const [a, b] = events.map(({ eventId }) => eventId);
      const link = {
        linkId: 'l',
        causeId: a!,
        effectId: b!,
        confidence: 1,
        explanation: '',
        judgedBy: 'model' as const,
      };
      for (const relation of ['caused', 'prevented'] as const)
        causal.addLinks({ sessionId, links: [{ ...link, relation }], now });
      causal.settle({ sessionId, eventIds: [a!], links: [{ ...link, relation: 'enabled' }], now });
      const model = 'm';
      const vector = Float32Array.of(1, 0);
      const [{ eventNo, changeSeq }] = vectors.pending({ sessionId, model, limit: 1 }) as [PendingEvent];
      const made = [{ eventNo, changeSeq, vector }];
      vectors.write({ sessionId, model, throughSeq: changeSeq, vectors: made });
      vectors.any(sessionId, model);
      vectors.changesSince(sessionId, 0, 10);
      vectors.outdated({ model, after: null, limit: 10 });
      const text = { text: 'a rope tore', terms: analyse('a rope tore') };
      causal.changeEvent({ sessionId, eventId: a!, change: { text }, now });
      causal.use({ sessionId, eventNos: [1], now });
      causal.changeEvent({ sessionId, eventId: a!, change: { happenedAt: NOON - 1 }, now });
      causal.changeLink({ sessionId, linkId: 'l', change: { relation: 'enabled' }, now });
      causal.getEvent(sessionId, a!);
      causal.getLink(sessionId, 'l');
      causal.eventsByNo(sessionId, [1]);
      causal.linksAmong(sessionId, [1, 2]);
      causal.chainEnds(sessionId, [1]);
      causal.search({ sessionId, terms: ['rope'], before, limit: 2 });
      for (const narrow of [{}, { actor: 'Ana' }, { conversationId: 'c' }, { openOnly: true }])
        causal.recentEvents({ sessionId, before, limit: 2, ...narrow });
      for (const whose of [{}, { actor: 'Ana' }]) causal.inForce({ sessionId, before, limit: 2, ...whose });
      causal.changesSince(sessionId, 0, 10);
      causal.head(sessionId);
      causal.progress(sessionId, 'c');
      activity.changesSince(sessionId, 0, 10);
      causal.removeLink({ sessionId, linkId: 'l', by: 'person', now });
      causal.removeEvent({ sessionId, eventId: b!, by: 'person', now });
    })();
    const wide = preparedSql(database).flatMap((sql) => {
      const names = [...new Set([...sql.matchAll(/@(\w+)/g)].map(([, name = '']) => name))];
      const values = names.length > 0 ? [Object.fromEntries(names.map((name) => [name, 1]))] : [];
      const places = names.length > 0 ? [] : (sql.match(/\?/g) ?? []).map(() => 1);
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values, ...places) as {
        detail: string;
      }[];
      return (
        plan
          .map(({ detail }) => detail)
          .filter((detail) => /^(SCAN \w*(causal|activity)|SEARCH).*$/.test(detail))
          .filter((detail) => /^SCAN|\(session_(id|key)=\?\)$/.test(detail))
          .filter(
            (detail) =>
              !/^SEARCH (sessions|s|h|p|causal_heads|causal_vector_progress|activity_heads)\b/.test(detail),
          )
          // The newest few hundred, in the order of the index.
          .filter((detail) => !detail.includes('causal_links_enabling'))
          // A new session refers to nothing yet.
          .filter(() => !sql.startsWith('INSERT INTO sessions'))
          .map((detail) => `${detail} in ${sql.replaceAll(/\s+/g, ' ').slice(0, 120)}`)
      );
    });
    expect(wide).toEqual([]);
    database.close();
  });
});
