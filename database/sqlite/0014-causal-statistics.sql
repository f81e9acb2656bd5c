-- What the planner is to expect of causal_links: large sessions, few links at each event. Without it, SQLite takes the
-- primary key to look for the links at an event that goes (the foreign keys' own question, where no index can be
-- named), and reads all of the session. `PRAGMA optimize` replaces this by what it finds.
ANALYZE causal_links;
DELETE FROM sqlite_stat1 WHERE tbl = 'causal_links';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('causal_links', 'causal_links', '1000000 10000 1'),
  ('causal_links', 'sqlite_autoindex_causal_links_2', '1000000 10000 2 1'),
  ('causal_links', 'causal_links_by_effect', '1000000 10000 2 1'),
  ('causal_links', 'causal_links_by_change', '1000000 10000 1 1');
ANALYZE sqlite_schema;
