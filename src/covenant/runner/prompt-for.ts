import { CccError } from '../../base/ccc-error.ts';
import { promptTokens, textOf } from '../../models/chat-result.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import { countTokens } from '../../text/tokens.ts';
import { lessonsInCall } from '../learning/given-lessons.ts';
import type { CallKind, MachineState } from '../machine/state.ts';
import { draftPrompt } from '../prompts/draft.ts';
import { guidancePrompt } from '../prompts/guidance.ts';
import { repairPrompt, verdictPrompt } from '../prompts/verdict.ts';
import type { StoredRequest } from './stored-request.ts';

/** Tokens a call may answer with when the request sets no limit: what is reserved, not what is allowed. */
const ANSWER_RESERVE = { guide: 300, draft: 1_000, review: 600 } as const;

/** The prompt of a call: made from what is stored and nothing else, so that it is the same after a restart. */
export function promptFor(
  call: { type: CallKind; repair: boolean },
  state: MachineState,
  stored: StoredRequest,
): ChatMessage[] {
  const { directive, memory, request } = stored;
  const { criteria, guidance, drafts, steer, toolMessages } = state;
  const common = { directive, memory, messages: request.messages, criteria, guidance, toolMessages };
  const lessons = lessonsInCall(call.type, stored.lessons).map(({ line }) => line);
  if (call.type === 'guide') return guidancePrompt({ ...common, lessons });
  const draft = drafts.at(-1) ?? null;
  if (call.type === 'draft') return draftPrompt({ ...common, lessons, last: draft, steer });
  if (!draft) throw new CccError('internal_error', 'A review without a draft.');
  const prompt = verdictPrompt({ ...common, draft, openIssues: drafts.at(-2)?.review?.open ?? [] });
  const { unreadable } = state;
  return call.repair && unreadable ? repairPrompt(prompt, unreadable.answer, unreadable.problem) : prompt;
}

/** Estimated tokens of a call: its prompt, and what it may answer. */
export function estimateOf(call: CallKind, messages: ChatMessage[], stored: StoredRequest): number {
  return promptSize(call, messages, stored) + answerReserve(call, stored);
}

/** The same within a factor of two, without counting: for what no limit depends on. */
export function roughEstimateOf(call: CallKind, messages: ChatMessage[], stored: StoredRequest): number {
  const characters = messages.reduce((sum, message) => sum + textOf(message).length, 0);
  return Math.ceil(characters / 4) + answerReserve(call, stored);
}

/** Estimated tokens of a prompt, the client's tools included where they are sent. */
export function promptSize(call: CallKind, messages: ChatMessage[], { request }: StoredRequest): number {
  const tools = call === 'draft' ? sizeOf(request['tools']) : 0;
  return (
    promptTokens(messages) + tools + messages.reduce((sum, { tool_calls: calls }) => sum + sizeOf(calls), 0)
  );
}

/** Estimated tokens of what has to follow a call, so that its work is not thrown away: of a draft, its review. */
export function reserveAfter(call: CallKind, state: MachineState, stored: StoredRequest): number {
  if (call === 'review') return 0;
  const next = { text: '', hash: '', finishReason: 'stop', model: '', checks: [], review: null };
  const drafts = [...state.drafts, { ...next, round: state.drafts.length + 1 }];
  const prompt = promptFor({ type: 'review', repair: false }, { ...state, drafts }, stored);
  const review =
    promptSize('review', prompt, stored) + answerReserve('draft', stored) + ANSWER_RESERVE.review;
  if (call === 'draft') return review;
  return review + estimateOf('draft', promptFor({ type: 'draft', repair: false }, state, stored), stored);
}

function answerReserve(call: CallKind, { request }: StoredRequest): number {
  const limit = request['max_completion_tokens'] ?? request['max_tokens'];
  return call === 'draft' && typeof limit === 'number' ? limit : ANSWER_RESERVE[call];
}

function sizeOf(value: unknown): number {
  return value === undefined || value === null ? 0 : countTokens(JSON.stringify(value));
}
