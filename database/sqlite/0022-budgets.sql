-- What cycles have spent, by session and day (days since 1970-01-01, UTC), so that a budget is a sum of few rows.
CREATE TABLE session_spending (
  session_id TEXT NOT NULL,
  day        INTEGER NOT NULL,
  tokens     INTEGER NOT NULL,
  ms         INTEGER NOT NULL,
  rounds     INTEGER NOT NULL,
  PRIMARY KEY (session_id, day),
  FOREIGN KEY (session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The same of all sessions together. It stays when a session is erased: what was spent that day was spent.
CREATE TABLE day_spending (
  day    INTEGER PRIMARY KEY NOT NULL,
  tokens INTEGER NOT NULL,
  ms     INTEGER NOT NULL,
  rounds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is set aside for the call that a cycle is making and for what has to follow it. Gone when the call is settled.
CREATE TABLE budget_reservations (
  session_id  TEXT NOT NULL,
  cycle_id    TEXT NOT NULL,
  day         INTEGER NOT NULL,
  tokens      INTEGER NOT NULL,
  ms          INTEGER NOT NULL,
  rounds      INTEGER NOT NULL,
  -- Of the tokens, those of the call itself: what is counted as spent when nobody can say what it has cost.
  call_tokens INTEGER NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_reservations_by_day ON budget_reservations (day, tokens, ms, rounds);
