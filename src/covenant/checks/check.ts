import type { CheckResult } from '../machine/state.ts';

/** A check that has to pass: a draft that fails it is not approved, whatever the reviewer says. */
export const required = (name: string, passed: boolean, detail: string): CheckResult => ({
  name,
  passed,
  required: true,
  detail,
});

/** What the reviewer is told, and nothing more. */
export const told = (name: string, passed: boolean, detail: string): CheckResult => ({
  name,
  passed,
  required: false,
  detail,
});
