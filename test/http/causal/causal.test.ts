import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { openMemory } from '../../causal/support.ts';
import { startApp } from '../support.ts';

interface Event {
  event_id: string;
  event_no: number;
  text: string;
}

let call: (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
) => Promise<{ status: number; body: any; headers: Headers }>;
let session: string;
let token: string;

beforeEach(async () => {
  const { dal, causal } = await openMemory();
  const memory = createMemoryService({ dal, causal });
  const { url } = await startApp({ parts: { dal, memory, causal } });
  call = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? null : (JSON.parse(text) as unknown),
      headers: response.headers,
    };
  };
  const created = await memory.createSession({});
  session = `/api/v2/sessions/${created.session.sessionId}/causal`;
  token = created.token;
});

const at = (minute: number) => new Date(Date.UTC(2026, 4, 8, 12, minute)).toISOString();

/** Four events in a row and the links of a story. */
async function story(): Promise<Event[]> {
  const texts = [
    'the filter was never cleaned',
    'the pump ran hot',
    'the pump failed',
    'a filter alarm was added',
  ];
  const { body } = await call('POST', `${session}/events`, {
    events: texts.map((text, minute) => ({ text, actor: 'Ana', happened_at: at(minute) })),
  });
  const { events } = body as { events: Event[] };
  const [filter, hot, failed, alarm] = events.map(({ event_id }) => event_id);
  const links = await call('POST', `${session}/links`, {
    links: [
      {
        cause_id: filter,
        effect_id: hot,
        relation: 'caused',
        confidence: 0.9,
        explanation: 'dirt blocked the flow',
      },
      { cause_id: hot, effect_id: failed, relation: 'caused', confidence: 0.8 },
      { cause_id: alarm, effect_id: failed, relation: 'prevented', confidence: 0.7 },
    ],
  });
  expect(links.status).toBe(201);
  return events;
}

describe('events and links over HTTP', () => {
  it('are added one by one or in a batch, and are there', async () => {
    const one = await call('POST', `${session}/events`, { text: 'the pump failed', happened_at: at(1) });
    expect(one.status).toBe(201);
    expect(one.body).toMatchObject({
      event_no: 1,
      text: 'the pump failed',
      actor: null,
      happened_at: at(1),
      recorded_by: 'person',
      judged: false,
    });
    expect((await call('GET', `${session}/events/${(one.body as Event).event_id}`)).body).toEqual(one.body);
    const events = await story();
    const all = await call('GET', `${session}/events`);
    expect(all.body.events).toHaveLength(5);
    expect(all.body.links).toHaveLength(3);
    const found = await call('GET', `${session}/events?query=alarm&limit=5`);
    expect(found.body.events.map((event: Event) => event.event_id)).toEqual([events[3]!.event_id]);
  });

  it('are corrected, confirmed and removed', async () => {
    const [filter, hot] = await story();
    const path = `${session}/events/${filter!.event_id}`;
    const changed = await call('PATCH', path, { text: 'the filter was cleaned once', actor: null });
    expect(changed.body).toMatchObject({ text: 'the filter was cleaned once', actor: null });
    expect((await call('POST', `${path}/confirm`)).status).toBe(200);
    const links = (await call('GET', `${session}/events/${hot!.event_id}/why`)).body.links;
    const link = `${session}/links/${links[0].link_id}`;
    expect((await call('PATCH', link, { relation: 'enabled', confidence: 0.3 })).body).toMatchObject({
      relation: 'enabled',
      confidence: 0.3,
      judged_by: 'person',
    });
    expect((await call('POST', `${link}/confirm`)).body).toMatchObject({ confidence: 1 });
    expect((await call('DELETE', link)).status).toBe(204);
    expect((await call('GET', link)).body.error.code).toBe('link_not_found');
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', path)).body.error.code).toBe('event_not_found');
    expect((await call('GET', `${session}/events/${hot!.event_id}/why`)).body.nodes).toHaveLength(1);
  });

  it('refuse with 409 what cannot be, with 404 what is not there, with 400 what is no event', async () => {
    const [filter, , failed] = await story();
    const late = { cause_id: failed!.event_id, effect_id: filter!.event_id, relation: 'caused' };
    const refused = await call('POST', `${session}/links`, late);
    expect([refused.status, refused.body.error.code]).toEqual([409, 'link_refused']);
    const nowhere = await call('POST', `${session}/links`, { ...late, cause_id: 'evt_none' });
    expect([nowhere.status, nowhere.body.error]).toMatchObject([
      404,
      { code: 'event_not_found', param: 'cause_id' },
    ]);
    for (const [body, param] of [
      [{ text: '' }, 'text'],
      [{ text: 'x', happened_at: 'yesterday' }, 'happened_at'],
      [{ text: 'x', session_id: 's' }, 'session_id'],
      [{ events: [{ text: 'x' }, {}] }, 'events.1.text'],
    ] as const) {
      const answer = await call('POST', `${session}/events`, body);
      expect([answer.status, answer.body.error.param]).toEqual([400, param]);
    }
    const wrongTurn = await call('POST', `${session}/events`, { text: 'x', source_turn_id: 'turn_none' });
    expect([wrongTurn.status, wrongTurn.body.error.code]).toEqual([404, 'turn_not_found']);
    expect((await call('PATCH', `${session}/events/${filter!.event_id}`, {})).status).toBe(400);
    expect((await call('PUT', `${session}/events`, {})).status).toBe(405);
    expect((await call('GET', `${session}/graph?limit=0`)).body.error.param).toBe('limit');
    expect((await call('GET', `${session}/graph?cursor=nonsense`)).body.error.param).toBe('cursor');
    expect((await call('GET', session)).body.error.param).toBe('query');
  });
});

describe('questions over HTTP', () => {
  it('why and effects give the graph and the chain', async () => {
    const events = await story();
    const ids = events.map(({ event_id }) => event_id);
    const why = await call('GET', `${session}/events/${ids[2]!}/why`);
    expect(why.body.chain.event_ids).toEqual(ids.slice(0, 3));
    expect(why.body.chain.confidence).toBeCloseTo(0.72);
    expect(why.body.nodes.map((node: Event) => node.event_id)).toEqual(ids.slice(0, 3));
    expect(why.body.truncated).toBe(false);
    const effects = await call('GET', `${session}/events/${ids[0]!}/effects`);
    expect(effects.body.chain.event_ids).toEqual(ids.slice(0, 3));
    const prevented = await call('GET', `${session}/events/${ids[2]!}/prevented_by`);
    expect(prevented.body.data.map((each: { event: Event }) => each.event.event_id)).toEqual([ids[3]]);
    expect((await call('GET', `${session}/events/${ids[2]!}/superseded_by`)).body.data).toEqual([]);
  });

  it('a question in words gets a narrative with events, confidences and scores; an idle one gets nothing', async () => {
    const events = await story();
    const { body } = await call('GET', `${session}?query=${encodeURIComponent('Why did the pump fail?')}`);
    expect(body.narrative).toBe(
      'On 2026-05-08, Ana: “the filter was never cleaned” [e1]. ' +
        'This led to Ana: “the pump ran hot” [e2] (confidence 0.90, the person says so), because dirt blocked the flow; ' +
        'which in turn led to Ana: “the pump failed” [e3] (confidence 0.80, the person says so). ' +
        'What keeps [e3] from happening again: Ana: “a filter alarm was added” [e4] (confidence 0.70, the person says so).',
    );
    expect(body.chain.event_ids).toEqual(events.slice(0, 3).map(({ event_id }) => event_id));
    expect(body.token_count).toBeGreaterThan(20);
    expect(body.scores[events[2]!.event_id]).toBe(1);
    const idle = await call('GET', `${session}?query=${encodeURIComponent('Which colour is the moon?')}`);
    expect(idle.status).toBe(200);
    expect(idle.body).toMatchObject({
      narrative: '',
      chain: null,
      chains: [],
      events: [],
      links: [],
      scores: {},
      token_count: 0,
    });
  });

  it('a narrative keeps within its tokens, and is rather about less than cut off', async () => {
    await story();
    for (const limit of [10, 30, 45, 70, 100, 400]) {
      const { body } = await call(
        'GET',
        `${session}?query=why+did+the+pump+fail&max_tokens=${String(limit)}`,
      );
      expect(body.token_count).toBeLessThanOrEqual(limit);
      expect(body.narrative === '' || body.narrative.endsWith('.')).toBe(true);
    }
  });

  it('the graph comes in pages, newest first, or as a neighbourhood', async () => {
    const events = await story();
    const ids = events.map(({ event_id }) => event_id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await call(
        'GET',
        `${session}/graph?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.unshift(...body.nodes.map((node: Event) => node.event_id));
      expect(body.truncated).toBe(body.next_cursor !== null);
      cursor = body.next_cursor;
    }
    expect(seen).toEqual(ids);
    const near = await call('GET', `${session}/graph?around=${ids[3]!}&limit=2`);
    expect(near.body.nodes.map((node: Event) => node.event_id)).toEqual([ids[2], ids[3]]);
    expect(near.body).toMatchObject({ truncated: true, links: [{ relation: 'prevented' }] });
  });

  it("another session's token opens nothing here, and an unknown session is not found", async () => {
    const [event] = await story();
    const other = (await call('POST', '/api/v2/sessions', {})).body;
    for (const path of ['/graph', '/events', `/events/${event!.event_id}/why`, '?query=pump']) {
      const stranger = await call('GET', `${session}${path}`, undefined, {
        authorization: `Bearer ${String(other.token)}`,
      });
      expect([stranger.status, stranger.body.error.code]).toEqual([404, 'session_not_found']);
      const owner = await call('GET', `${session}${path}`, undefined, { authorization: `Bearer ${token}` });
      expect(owner.status).toBe(200);
      const nobody = await call('GET', `/api/v2/sessions/sess_none/causal${path}`);
      expect([nobody.status, nobody.body.error.code]).toEqual([404, 'session_not_found']);
    }
    const wrongSession = `/api/v2/sessions/${String(other.session_id)}/causal/events/${event!.event_id}`;
    expect((await call('GET', `${wrongSession}/why`)).body.error.code).toBe('event_not_found');
  });

  it('tell in /health and the status that causal memory answers, after a real question', async () => {
    await story();
    expect((await call('GET', '/health')).body.causal).toMatchObject({ available: true, reason: null });
    const status = (await call('GET', '/api/v2/status')).body;
    expect(status.counts).toMatchObject({ causal_events: 4, causal_links: 3 });
  });
});
