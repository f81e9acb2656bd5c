-- Facts about people and things, and lessons of the agents, each with what it said before.
CREATE TABLE facts (
  session_id      text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- 1, 2, 3 … in the order of storing; the small stand-in for fact_id in the index. Of equal times the later one counts.
  fact_no         bigint NOT NULL CHECK (fact_no >= 1),
  fact_id         text COLLATE "C" NOT NULL,
  subject         text COLLATE "C" NOT NULL,
  attribute       text COLLATE "C" NOT NULL,
  value           text COLLATE "C" NOT NULL,
  -- The fact as a sentence.
  text            text COLLATE "C" NOT NULL,
  -- By these two facts are told to be equal in what they are about, and in what they say.
  subject_key     text COLLATE "C" NOT NULL,
  attribute_key   text COLLATE "C" NOT NULL,
  value_key       text COLLATE "C" NOT NULL,
  -- 1: of this only one can be so at a time, so that a later one takes its place.
  exclusive       smallint NOT NULL CHECK (exclusive IN (0, 1)),
  valid_from      bigint NOT NULL,
  -- When somebody said that it is so no more.
  ended_at        bigint,
  -- The earlier of that and the time at which another fact took its place; null while it holds.
  valid_until     bigint,
  superseded_by   text COLLATE "C",
  -- Where it comes from. No references: a fact outlives the retention of its turn.
  conversation_id text COLLATE "C",
  source_turn_id  text COLLATE "C",
  author          text COLLATE "C" NOT NULL CHECK (author IN ('model', 'rule', 'person')),
  pinned          smallint NOT NULL CHECK (pinned IN (0, 1)),
  -- Goes up with each correction.
  version         bigint NOT NULL CHECK (version >= 1),
  -- Distinct terms in the index.
  term_count      bigint NOT NULL DEFAULT 0,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  PRIMARY KEY (session_id, fact_no),
  UNIQUE (session_id, fact_id)
);

CREATE INDEX facts_by_key ON facts (session_id, subject_key, attribute_key, valid_from, fact_no);

CREATE INDEX facts_pinned ON facts (session_id, fact_no) WHERE pinned = 1 AND valid_until IS NULL;

CREATE INDEX facts_by_turn ON facts (session_id, source_turn_id) WHERE source_turn_id IS NOT NULL;

CREATE TABLE fact_versions (
  session_id text COLLATE "C" NOT NULL,
  fact_no    bigint NOT NULL,
  version    bigint NOT NULL,
  subject    text COLLATE "C" NOT NULL,
  attribute  text COLLATE "C" NOT NULL,
  value      text COLLATE "C" NOT NULL,
  text       text COLLATE "C" NOT NULL,
  valid_from bigint NOT NULL,
  ended_at   bigint,
  author     text COLLATE "C" NOT NULL,
  -- When it was corrected.
  until      bigint NOT NULL,
  PRIMARY KEY (session_id, fact_no, version),
  FOREIGN KEY (session_id, fact_no) REFERENCES facts (session_id, fact_no) ON DELETE CASCADE
);

CREATE TABLE fact_terms (
  session_id  text COLLATE "C" NOT NULL,
  term        text COLLATE "C" NOT NULL,
  fact_no     bigint NOT NULL,
  PRIMARY KEY (session_id, term, fact_no)
);

CREATE INDEX fact_terms_by_fact ON fact_terms (session_id, fact_no);

CREATE TABLE fact_progress (
  session_id      text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  through_turn    bigint NOT NULL,
  PRIMARY KEY (session_id, conversation_id),
  FOREIGN KEY (session_id, conversation_id) REFERENCES conversations (session_id, conversation_id)
    ON DELETE CASCADE
);

CREATE TABLE lessons (
  session_id       text COLLATE "C" NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  -- 1, 2, 3 … in the order of storing.
  lesson_no        bigint NOT NULL CHECK (lesson_no >= 1),
  lesson_id        text COLLATE "C" NOT NULL,
  agent            text COLLATE "C" NOT NULL CHECK (agent IN ('beatrice', 'codey')),
  -- For what kind of work it is; empty for the words of the text itself.
  trigger_text     text COLLATE "C" NOT NULL,
  text             text COLLATE "C" NOT NULL,
  -- A deleted one is a tombstone: its hash alone is kept, so that it is not learned again.
  status           text COLLATE "C" NOT NULL CHECK (status IN ('candidate', 'active', 'retired', 'deleted')),
  pinned           smallint NOT NULL CHECK (pinned IN (0, 1)),
  author           text COLLATE "C" NOT NULL CHECK (author IN ('model', 'person')),
  -- [{"cycle_id": …, "issue_ids": […]}]. No references: a lesson outlives the retention of its cycles.
  evidence         text COLLATE "C" NOT NULL,
  -- Of the normalised text.
  hash             text COLLATE "C" NOT NULL,
  -- Cycles in which it was chosen: how many went with it and how many without, and whose first draft was approved.
  with_trials      bigint NOT NULL DEFAULT 0 CHECK (with_trials >= 0),
  with_approved    bigint NOT NULL DEFAULT 0 CHECK (with_approved BETWEEN 0 AND with_trials),
  without_trials   bigint NOT NULL DEFAULT 0 CHECK (without_trials >= 0),
  without_approved bigint NOT NULL DEFAULT 0 CHECK (without_approved BETWEEN 0 AND without_trials),
  -- Goes up with each change of its words, its status or its pin.
  version          bigint NOT NULL CHECK (version >= 1),
  created_at       bigint NOT NULL,
  updated_at       bigint NOT NULL,
  PRIMARY KEY (session_id, lesson_no),
  UNIQUE (session_id, lesson_id),
  UNIQUE (session_id, agent, hash)
);

CREATE TABLE lesson_versions (
  session_id   text COLLATE "C" NOT NULL,
  lesson_no    bigint NOT NULL,
  version      bigint NOT NULL,
  trigger_text text COLLATE "C" NOT NULL,
  text         text COLLATE "C" NOT NULL,
  status       text COLLATE "C" NOT NULL,
  pinned       smallint NOT NULL,
  author       text COLLATE "C" NOT NULL,
  -- When it was changed.
  until        bigint NOT NULL,
  PRIMARY KEY (session_id, lesson_no, version),
  FOREIGN KEY (session_id, lesson_no) REFERENCES lessons (session_id, lesson_no) ON DELETE CASCADE
);

CREATE TABLE lesson_cycles (
  session_id text COLLATE "C" NOT NULL,
  cycle_id   text COLLATE "C" NOT NULL,
  learned_at bigint NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
);

CREATE INDEX lessons_by_trials ON lessons ((with_trials + without_trials) DESC)
 WHERE with_trials + without_trials > 0 AND status <> 'deleted';
