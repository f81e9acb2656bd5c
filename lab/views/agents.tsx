import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { changing, loadLessons } from '../actions/learned.ts';
import { LEARNERS, learned, type AgentState, type Learner, type Lesson } from '../api/learned.ts';
import { agentStates, lessonStatus, lessons } from '../state/learned.ts';
import { running, sessionId } from '../state/model.ts';
import { capitalised, count, when } from '../text/words.ts';
import { LessonCard } from './lesson-card.tsx';
import { LessonForm } from './lesson-form.tsx';

/** How each agent works in this session, and what it has learned. */
export function Agents() {
  const [session, atWork] = [sessionId.value, running.value !== null];
  useEffect(() => {
    lessons.value = null;
    agentStates.value = [];
  }, [session]);
  // A cycle that has just ended may have taught something.
  useEffect(() => void loadLessons(), [session, atWork]);
  const all = lessons.value;
  return (
    <div class="learned" tabIndex={0} role="region" aria-label="Agents and lessons">
      {session === null ? (
        <p class="welcome" role="status">
          Open a session to see what its agents have learned.
        </p>
      ) : (
        all && (
          <>
            <div class="row">
              <Statuses all={all} />
              <button class="small" type="button" onClick={() => void loadLessons()}>
                Read again
              </button>
            </div>
            <div class="agents">
              {LEARNERS.map((agent) => (
                <Learning key={agent} agent={agent} all={all.filter((lesson) => lesson.agent === agent)} />
              ))}
            </div>
          </>
        )
      )}
    </div>
  );
}

const STATUSES = ['all', 'active', 'candidate', 'retired'] as const;

function Statuses({ all }: { all: Lesson[] }) {
  return (
    <div class="row" role="group" aria-label="Lessons shown">
      {STATUSES.map((status) => {
        const shown = status === 'all' ? all : all.filter((lesson) => lesson.status === status);
        return (
          <button
            key={status}
            class="small"
            type="button"
            aria-pressed={lessonStatus.value === status}
            onClick={() => {
              lessonStatus.value = status;
            }}
          >
            {status === 'all' ? 'All' : status === 'candidate' ? 'Waiting for you' : capitalised(status)}{' '}
            <span class="quiet">{shown.length}</span>
          </button>
        );
      })}
    </div>
  );
}

function Learning({ agent, all }: { agent: Learner; all: Lesson[] }) {
  const adding = useSignal(false);
  const status = lessonStatus.value;
  const shown = status === 'all' ? all : all.filter((lesson) => lesson.status === status);
  const state = agentStates.value.find((each) => each.agent === agent);
  return (
    <section class={`agent ${agent}`} aria-label={capitalised(agent)}>
      <h2>{capitalised(agent)}</h2>
      {state && <Working state={state} />}
      {shown.length === 0 ? (
        <p class="quiet">
          {all.length === 0
            ? 'Nothing learned yet. Lessons come from drafts that were sent back and put right, or from you.'
            : 'None of these.'}
        </p>
      ) : (
        <ul class="list lessons">
          {shown.map((lesson) => (
            <li key={lesson.lesson_id}>
              <LessonCard lesson={lesson} />
            </li>
          ))}
        </ul>
      )}
      {adding.value ? (
        <LessonForm
          words={{ text: '', trigger: '' }}
          action="Add the lesson"
          save={(given) => changing((session) => learned.addLesson(session, agent, given), loadLessons)}
          close={() => (adding.value = false)}
        />
      ) : (
        <button class="small" type="button" onClick={() => (adding.value = true)}>
          Teach {capitalised(agent)} something
        </button>
      )}
    </section>
  );
}

/** How an agent has worked, in words; what else its state holds, as it is. */
function Working({ state: { state } }: { state: AgentState }) {
  const { habits, ...other } = state;
  const busiest = habits && habits.by_hour.indexOf(Math.max(...habits.by_hour));
  return (
    <>
      {habits && (
        <p class="quiet">
          {count(habits.interactions, 'turn')} of about {count(Math.round(habits.mean_words), 'telling word')}
          , most around {String(busiest)}:00 UTC, the last on {when(habits.last_at)}.
          {habits.topics && habits.topics.length > 0 && (
            <> Asked about: {habits.topics.map(({ topic }) => topic).join(', ')}.</>
          )}
        </p>
      )}
      {Object.keys(other).length > 0 && (
        <details>
          <summary>What it keeps in mind</summary>
          <pre tabIndex={0}>{JSON.stringify(other, null, 2)}</pre>
        </details>
      )}
    </>
  );
}
