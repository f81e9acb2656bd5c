import { useMemo, useEffect } from 'preact/hooks';
import { showEvent } from '../actions/causes.ts';
import { isMissing, loadInsights } from '../actions/insights.ts';
import { openSession } from '../actions/places.ts';
import type { Analytics } from '../api/insights.ts';
import { Chart } from '../insights/chart.tsx';
import { chartsOf } from '../insights/charts.ts';
import { view } from '../state/view.ts';
import { figures, scope } from '../state/insights.ts';
import { health, running, sessionId } from '../state/model.ts';
import { count, outcomeName, span } from '../text/words.ts';

/** Time between two looks while the server is still figuring, in milliseconds. */
const LOOK_AGAIN_MS = 3_000;
const DRAFTS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** What the work came to: approvals, rounds, time, tokens, and what led to most. */
export function Insights() {
  const [of, session, atWork] = [scope.value, sessionId.value, running.value !== null];
  useEffect(() => {
    figures.value = null;
  }, [of, session]);
  // A cycle that has just ended is in the next figures.
  useEffect(() => void loadInsights(), [of, session, atWork]);
  const shown = figures.value;
  const figuring = shown !== null && isMissing(shown);
  useEffect(() => {
    if (!figuring) return undefined;
    const timer = window.setTimeout(() => void loadInsights(), LOOK_AGAIN_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, [shown]);
  return (
    <div class="insights" tabIndex={0} role="region" aria-label="Insights">
      <div class="row">
        <Scope />
        <button class="small" type="button" onClick={() => void loadInsights()}>
          Read again
        </button>
      </div>
      {figuring && (
        <p class="quiet" role="status">
          {whyMissing()} What is missing comes by itself.
        </p>
      )}
      {of === 'session' && session === null ? (
        <p class="welcome" role="status">
          Open a session to see its figures.
        </p>
      ) : (
        shown && <Figures shown={shown} />
      )}
    </div>
  );
}

function whyMissing(): string {
  const causal = health.value?.causal;
  if (causal?.available !== false) return 'The server is still figuring.';
  return `The server cannot tell all of it now. ${causal.reason ?? ''}`.trim();
}

function Scope() {
  const button = (to: typeof scope.value, name: string) => (
    <button
      class="small"
      type="button"
      aria-pressed={scope.value === to}
      onClick={() => {
        scope.value = to;
      }}
    >
      {name}
    </button>
  );
  return (
    <div class="row" role="group" aria-label="Figures of">
      {button('session', 'This session')}
      {button('all', 'All sessions')}
    </div>
  );
}

function Figures({ shown }: { shown: Analytics }) {
  const charts = useMemo(() => chartsOf(shown), [shown]);
  const { cycle_figures: cycles, causes } = shown;
  const roots = causes?.root_causes ?? [];
  const chains = causes?.longest_chains ?? [];
  return (
    <>
      <Totals shown={shown} />
      {charts.length === 0 && cycles !== null && (
        <p class="welcome" role="status">
          No cycle has ended here yet: give a directive, and its figures appear.
        </p>
      )}
      <div class="charts">
        {charts.map((data) => (
          <Chart key={data.title} data={data} />
        ))}
        {cycles && cycles.by_outcome.length > 0 && <Outcomes rows={cycles.by_outcome} />}
        {roots.length > 0 && <RootCauses roots={roots} />}
        {chains.length > 0 && <Chains chains={chains} />}
        {shown.lessons && shown.lessons.length > 0 && <LessonEffects lessons={shown.lessons} />}
      </div>
      {causes?.truncated && (
        <p class="quiet">The causes are too many to be followed in time: effects are counted one step far.</p>
      )}
    </>
  );
}

function Totals({ shown }: { shown: Analytics }) {
  const turns = typeof shown.turns === 'number' ? shown.turns : shown.turns.total;
  const days = shown.cycle_figures?.by_day ?? [];
  const ended = days.reduce((sum, day) => sum + day.cycles, 0);
  const approved = days.reduce((sum, day) => sum + day.approved, 0);
  const tokens = shown.tokens?.by_agent.reduce((sum, row) => sum + row.total_tokens, 0);
  const said = [
    ...(shown.sessions === undefined ? [] : [count(shown.sessions, 'session')]),
    count(shown.conversations, 'conversation'),
    count(turns, 'turn'),
    ...(shown.cycle_figures ? [count(shown.cycle_figures.total, 'cycle')] : []),
    ...(ended > 0 ? [`${String(Math.round((100 * approved) / ended))} % approved`] : []),
    ...(tokens === undefined ? [] : [count(tokens, 'token')]),
  ];
  return (
    <ul class="totals" aria-label="In all">
      {said.map((text) => {
        const [figure, ...words] = text.split(' ');
        return (
          <li key={words.join(' ')}>
            <b>{figure}</b> {words.join(' ')}
          </li>
        );
      })}
    </ul>
  );
}

function Outcomes({ rows }: { rows: NonNullable<Analytics['cycle_figures']>['by_outcome'] }) {
  return (
    <section class="chart" aria-label="How cycles ended">
      <h2>How cycles ended</h2>
      <div class="table-room" tabIndex={0} role="region" aria-label="How cycles ended, as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Outcome</th>
              <th scope="col">Cycles</th>
              <th scope="col">Drafts</th>
              <th scope="col">Half within</th>
              <th scope="col">95 % within</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.outcome}>
                <th scope="row">{outcomeName(row.outcome)}</th>
                <td>{row.cycles}</td>
                <td>{DRAFTS.format(row.mean_rounds)}</td>
                <td>{span(row.p50_seconds * 1_000)}</td>
                <td>{span(row.p95_seconds * 1_000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Leads to an event in the drawing of its session. */
async function goToEvent(session: string, eventId: string): Promise<void> {
  if (session !== sessionId.value) await openSession(session);
  view.value = 'causes';
  await showEvent(eventId);
}

function RootCauses({ roots }: { roots: NonNullable<Analytics['causes']>['root_causes'] }) {
  const most = Math.max(...roots.map(({ effects }) => effects));
  return (
    <section class="chart" aria-label="Root causes">
      <h2>Root causes</h2>
      <p class="quiet">What nothing else led to, by how much came of it.</p>
      <ol class="bars">
        {roots.map(({ session_id: session, event, effects }) => (
          <li key={event.event_id}>
            <button class="entry" type="button" onClick={() => void goToEvent(session, event.event_id)}>
              <span class="words">{event.text}</span>
              <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect width={(100 * effects) / most} height="6" />
              </svg>
              <span class="when">{count(effects, 'effect')}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Chains({ chains }: { chains: NonNullable<Analytics['causes']>['longest_chains'] }) {
  return (
    <section class="chart" aria-label="Longest chains">
      <h2>Longest chains</h2>
      <ol class="chains">
        {chains.map(({ session_id: session, events, confidence }) => {
          const last = events.at(-1);
          return (
            <li key={events.map(({ event_id: id }) => id).join()}>
              <p>{events.map(({ text }) => text).join(' → ')}</p>
              <span class="quiet">
                {count(events.length, 'event')}, {Math.round(100 * confidence)} % sure
              </span>{' '}
              {last && (
                <button class="small" type="button" onClick={() => void goToEvent(session, last.event_id)}>
                  Show
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function LessonEffects({ lessons }: { lessons: NonNullable<Analytics['lessons']> }) {
  const share = ({ trials, approved }: { trials: number; approved: number }) =>
    trials === 0 ? 'none yet' : `${String(approved)} of ${String(trials)}`;
  return (
    <section class="chart" aria-label="Lessons">
      <h2>Lessons</h2>
      <p class="quiet">First drafts that were approved, with the lesson and without it.</p>
      <div class="table-room" tabIndex={0} role="region" aria-label="Lessons, as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Lesson</th>
              <th scope="col">With</th>
              <th scope="col">Without</th>
            </tr>
          </thead>
          <tbody>
            {lessons.map((lesson) => (
              <tr key={lesson.lesson_id}>
                <th scope="row">{lesson.text}</th>
                <td>{share(lesson.effect.with)}</td>
                <td>{share(lesson.effect.without)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
