-- What servers that share the record tell each other.

-- Which server runs which cycle, and until when it is believed to. By the clock of the database: those of the servers differ.
CREATE TABLE cycle_leases (
  session_id text COLLATE "C" NOT NULL,
  cycle_id   text COLLATE "C" NOT NULL,
  runner     text COLLATE "C" NOT NULL,
  held_until timestamptz NOT NULL,
  PRIMARY KEY (session_id, cycle_id),
  FOREIGN KEY (session_id, cycle_id) REFERENCES cycles (session_id, cycle_id) ON DELETE CASCADE
);
CREATE INDEX cycle_leases_by_runner ON cycle_leases (runner);
-- Cycles that somebody should be running.
CREATE INDEX cycles_at_work ON cycles (updated_at) WHERE outcome IS NULL;

CREATE FUNCTION tell_of_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('ccc_cycle', NEW.cycle_id);
  RETURN NULL;
END $$;
CREATE TRIGGER cycles_told AFTER INSERT OR UPDATE OF version ON cycles FOR EACH ROW EXECUTE FUNCTION tell_of_cycle();

CREATE FUNCTION tell_of_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('ccc_erased', OLD.session_id);
  RETURN NULL;
END $$;
CREATE TRIGGER sessions_told AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION tell_of_erasure();

-- Requests of each caller in its running minute, counted for all servers: the table of rate-limiter-flexible. What a crash
-- of the database loses of it is a minute's count.
CREATE UNLOGGED TABLE rate_limits (
  key    varchar(255) PRIMARY KEY,
  points integer NOT NULL DEFAULT 0,
  expire bigint
);
