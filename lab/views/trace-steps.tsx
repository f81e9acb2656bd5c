import { useSignal } from '@preact/signals';
import type { CycleStep } from '../api/types.ts';
import { usageOf } from '../trace/tree.ts';
import { count, span } from '../text/words.ts';

/** One call in full: who, with which model, what it took, and the raw record. */
export function StepDetails({ step }: { step: CycleStep }) {
  const usage = usageOf(step);
  const end = step.ended_at === null ? null : Date.parse(step.ended_at);
  const error = step.output?.['error'];
  return (
    <div class="step-details">
      <dl>
        <Fact name="Agent" value={step.agent} />
        <Fact name="Model" value={String(step.input['model'] ?? '')} />
        <Fact name="Prompt" value={usage ? count(usage.prompt_tokens, 'token') : 'not known'} />
        <Fact name="Answer" value={usage ? count(usage.completion_tokens, 'token') : 'not known'} />
        <Fact name="Time" value={end === null ? 'at work' : span(end - Date.parse(step.started_at))} />
        {error !== undefined && error !== null && (
          <Fact name="Error" value={typeof error === 'string' ? error : JSON.stringify(error)} />
        )}
      </dl>
      <Raw name="Raw" value={step} />
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** A record as JSON, written out only once it is asked for. */
export function Raw({ name, value }: { name: string; value: unknown }) {
  const open = useSignal(false);
  return (
    <details onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{name}</summary>
      {open.value && (
        <pre class="raw" tabIndex={0}>
          {JSON.stringify(value, null, 2)}
        </pre>
      )}
    </details>
  );
}
