-- Tokens that callers have spent: 'key <name>', 'session <id>' by its token, 'address <address>'; by day (days since 1970-01-01, UTC).
-- Only of callers that have a limit, and only today's and yesterday's.
CREATE TABLE caller_spending (
  caller TEXT NOT NULL,
  day    INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (caller, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX caller_spending_by_day ON caller_spending (day);

CREATE TRIGGER caller_spending_erased AFTER DELETE ON sessions
BEGIN
  DELETE FROM caller_spending WHERE caller = 'session ' || OLD.session_id;
END;
