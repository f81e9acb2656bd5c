import type { JsonObject } from './records.ts';

/** JSON of a column that this server wrote. */
export function fromJson(text: string): JsonObject {
  // What most rows hold.
  return text === '{}' ? {} : (JSON.parse(text) as JsonObject);
}

export function fromNullableJson(text: string | null): JsonObject | null {
  return text === null ? null : fromJson(text);
}

export function toJson(value: JsonObject): string {
  return JSON.stringify(value);
}
