import { asData } from '../../memory/context/attribution.ts';
import { textOf } from '../../models/chat-result.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import type { VerdictIssue } from '../verdict/verdict-schema.ts';
import type { CheckResult, Criterion, ToolMessage } from '../machine/state.ts';

export function criteriaText(criteria: Criterion[]): string {
  return criteria.map(({ id, text }) => `- ${id}: ${text}`).join('\n');
}

export function issuesText(issues: VerdictIssue[]): string {
  return issues
    .map(({ id, severity, where, fix }) => `- ${id} (${severity}) where: ${where} fix: ${fix}`)
    .join('\n');
}

export function checksText(checks: CheckResult[]): string {
  return checks.map((check) => `- ${check.name}: ${resultOf(check)}. ${check.detail}`).join('\n');
}

/** What failed and is required stands in the way of approval; what is only told is for the reviewer to weigh. */
function resultOf({ passed, required }: CheckResult): string {
  if (passed) return 'passed';
  return required === false ? 'NOTED' : 'FAILED';
}

/** The calls in an assistant's message, as `name(arguments)`, one per line. */
export function callsText(message: ChatMessage): string {
  if (!Array.isArray(message.tool_calls)) return '';
  const calls = message.tool_calls as { function?: Named; custom?: Named }[];
  return calls
    .map((call) => {
      const named = call.function ?? call.custom;
      return `${String(named?.name ?? '')}(${String(named?.arguments ?? named?.input ?? '')})`;
    })
    .join('\n');
}

interface Named {
  name?: unknown;
  arguments?: unknown;
  input?: unknown;
}

/** What Codey's tools were asked and what they answered, for the reviewer. */
export function toolsText(messages: ToolMessage[]): string {
  return messages
    .map(({ message }) => (message.role === 'tool' ? `→ ${asData(textOf(message))}` : callsText(message)))
    .join('\n');
}
