import { describe, expect, it, onTestFinished } from 'vitest';
import { startServerProcess } from '../support/server-process.ts';
import { checkRecord } from './check.ts';
import { Ledger } from './ledger.ts';
import { soak } from './run.ts';

describe('the server under mixed load, killed again and again', () => {
  it('loses and doubles nothing that it acknowledged, stays sound, and gathers nothing', async () => {
    const { faults, kills, checked, counts, figures } = await soak({
      seconds: 12,
      seed: 11,
      clients: 4,
      killEveryMs: 2_500,
    });
    expect(faults).toEqual([]);
    expect(kills).toBeGreaterThanOrEqual(2);
    expect(figures).toHaveLength(3);
    // There was something to lose, of every kind.
    expect(checked.turns).toBeGreaterThan(50);
    for (const what of ['turns acknowledged', 'direct chats acknowledged', 'cycle chats acknowledged'])
      expect(counts[what] ?? 0).toBeGreaterThan(3);
  }, 180_000);
});

describe('the check of the record', () => {
  it('finds what is missing, doubled, or still there after it was erased', async () => {
    const server = await startServerProcess({ env: { LOG_LEVEL: 'error' } });
    onTestFinished(async () => {
      await server.stop('SIGKILL');
    });
    const post = async (path: string, body: object) => {
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Record<string, string>;
    };
    const { session_id: sessionId = '' } = await post('/api/v2/sessions', {});
    const { conversation_id: conversationId = '' } = await post('/api/v2/conversations', {
      session_id: sessionId,
      directive: 'Once.',
    });
    const twice = { agent: 'wykeve', content: 'Twice.' };
    await post(`/api/v2/conversations/${conversationId}/turns`, { turns: [twice, twice] });

    const ledger = new Ledger();
    const known = ledger.conversation(ledger.session(sessionId), conversationId);
    known.acknowledged.add('Once.');
    known.unheard.add('Never came.');
    await checkRecord(server.url, ledger);
    expect(ledger.faults).toEqual([]);

    known.acknowledged.add('Lost.');
    known.unheard.add('Twice.');
    known.turnIds.add('turn_that_is_lost');
    ledger.session('sess_that_is_lost');
    ledger.erased.add(sessionId);
    await checkRecord(server.url, ledger);
    expect(ledger.faults.map((fault) => fault.replace(/(?:conv|sess)_[\w-]+/, '…'))).toEqual([
      'conversation …: turn turn_that_is_lost is missing',
      'conversation …: "Lost." was acknowledged and is there 0 times',
      'conversation …: "Twice." is there twice',
      'the session … is missing: 404',
      'the erased session … answers 200',
    ]);
  });
});
