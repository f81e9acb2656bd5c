-- Turns in which secrets were masked before they were stored, so that a session's are counted without reading the rest.
CREATE INDEX turns_masked ON turns (session_id)
  WHERE json_extract(metadata, '$.masked_secrets') IS NOT NULL;
