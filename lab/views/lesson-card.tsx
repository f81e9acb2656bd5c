import { useSignal } from '@preact/signals';
import { changing, goToCycle, loadLessons, type Change } from '../actions/learned.ts';
import { learned, type Lesson } from '../api/learned.ts';
import { count, when } from '../text/words.ts';
import { LessonForm } from './lesson-form.tsx';
import { Versions } from './versions.tsx';

/** One lesson: what it says, where it is from, what it is worth, and what the person may do with it. */
export function LessonCard({ lesson }: { lesson: Lesson }) {
  const doing = useSignal<'edit' | 'delete' | 'history' | null>(null);
  const toggle = (what: 'edit' | 'delete' | 'history') => () => {
    doing.value = doing.value === what ? null : what;
  };
  const change = (changes: Parameters<typeof learned.changeLesson>[2]): Promise<Change> =>
    changing((session) => learned.changeLesson(session, lesson, changes), loadLessons);
  const inUse = lesson.status === 'active';
  return (
    <article class={`lesson ${lesson.status}`}>
      <p>
        <span class="chip">{STATUS[lesson.status]}</span>
        {lesson.pinned && <span class="chip">Pinned</span>} {lesson.text}
      </p>
      {lesson.trigger !== '' && <p class="quiet">For: {lesson.trigger}</p>}
      <Effect lesson={lesson} />
      <Origin lesson={lesson} />
      <div class="row">
        {lesson.pinned ? (
          <button class="small" type="button" onClick={() => void change({ pinned: false })}>
            Unpin
          </button>
        ) : (
          inUse && (
            <button class="small" type="button" onClick={() => void change({ pinned: true })}>
              Pin
            </button>
          )
        )}
        {inUse ? (
          <button class="small" type="button" onClick={() => void change({ status: 'retired' })}>
            Retire
          </button>
        ) : (
          <button class="small" type="button" onClick={() => void change({ status: 'active' })}>
            {lesson.status === 'candidate' ? 'Use it' : 'Use it again'}
          </button>
        )}
        <button class="small" type="button" aria-expanded={doing.value === 'edit'} onClick={toggle('edit')}>
          Edit
        </button>
        <button
          class="small"
          type="button"
          aria-expanded={doing.value === 'history'}
          onClick={toggle('history')}
        >
          History
        </button>
        <button
          class="small danger"
          type="button"
          aria-expanded={doing.value === 'delete'}
          onClick={toggle('delete')}
        >
          Delete
        </button>
      </div>
      {doing.value === 'edit' && (
        <LessonForm
          words={lesson}
          action="Save"
          save={change}
          close={() => {
            if (doing.value === 'edit') doing.value = null;
          }}
        />
      )}
      {doing.value === 'history' && (
        <Versions
          key={lesson.version}
          read={(session) => learned.lessonHistory(session, lesson)}
          say={({ text, trigger, status, pinned, changed_at: changed }) => (
            <>
              “{text}”{trigger === '' ? '' : `, for: ${trigger}`}
              <span class="quiet">
                {' '}
                {[STATUS[status], ...(pinned ? ['pinned'] : [])].join(', ')}, until {when(changed)}
              </span>
            </>
          )}
        />
      )}
      {doing.value === 'delete' && (
        <div class="row" role="alert">
          <span>Its words go with their history. It will not be learned again by itself.</span>
          <button
            class="small danger"
            type="button"
            onClick={() => void changing((session) => learned.deleteLesson(session, lesson), loadLessons)}
          >
            Yes, delete it
          </button>
        </div>
      )}
    </article>
  );
}

const STATUS = { candidate: 'Waits for you', active: 'In use', retired: 'Retired' };

function Effect({ lesson: { effect } }: { lesson: Lesson }) {
  const { with: given, without: withheld, helps } = effect;
  if (given.trials + withheld.trials === 0) return <p class="quiet">Not tried yet.</p>;
  const share = ({ trials, approved }: { trials: number; approved: number }) =>
    `${String(approved)} of ${count(trials, 'first draft')} approved`;
  return (
    <p class="quiet">
      With it {share(given)}, without it {share(withheld)}: helps, {Math.round(100 * helps)} % sure.
    </p>
  );
}

function Origin({ lesson: { author, evidence, updated_at: updated } }: { lesson: Lesson }) {
  return (
    <p class="quiet">
      {author === 'person' ? 'In your words' : 'Learned'}, {when(updated)}.
      {evidence.map(({ cycle_id: cycleId, issue_ids: issues }, at) => (
        <button key={cycleId} class="small" type="button" onClick={() => void goToCycle(cycleId)}>
          {at === 0 ? 'From a cycle' : 'and from another'}
          {issues.length > 0 && ` (${count(issues.length, 'issue')})`}
        </button>
      ))}
    </p>
  );
}
