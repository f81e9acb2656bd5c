-- Directives by the history that led to them (metadata.thread_key), so that a chat client which resends its whole
-- history and names no conversation is led back to the one it continues. Only turns that have a key are in the index.
CREATE INDEX turns_by_thread ON turns (session_id, json_extract(metadata, '$.thread_key'), stored_at)
  WHERE json_extract(metadata, '$.thread_key') IS NOT NULL;
