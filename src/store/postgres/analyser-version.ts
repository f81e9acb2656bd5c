/** Keeps in a session's row, in an UPDATE of it, the oldest version of its index entries; 0 says that there were none before. */
export const NOTE_VERSION = (version: string): string =>
  `analyser_version = CASE analyser_version WHEN 0 THEN ${version} ELSE least(analyser_version, ${version}) END`;
