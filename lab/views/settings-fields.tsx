import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { change, settings, type Settings } from '../state/settings.ts';

type Of<T> = { [K in keyof Settings]: Settings[K] extends T ? K : never }[keyof Settings];
type NumberName = Extract<Of<number | null>, keyof Settings>;
type TextName = Exclude<Of<string>, 'theme'>;
type SwitchName = Of<boolean>;

interface Limits {
  min: number;
  max?: number;
  /** What one press of an arrow key adds. */
  step: number;
  /** Whether only whole numbers have a meaning. */
  whole?: boolean;
}

/** A name, what is set, what it means, and what is wrong with it. */
function Field(props: {
  id: string;
  name: string;
  hint?: string | undefined;
  fault?: string | null;
  children: ComponentChildren;
}) {
  const { id, name, hint, fault, children } = props;
  return (
    <div class="field">
      <label for={id}>{name}</label>
      {children}
      {fault && (
        <span class="fault" id={`${id}-fault`} role="alert">
          {fault}
        </span>
      )}
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}

const describedBy = (id: string, hint: string | undefined, fault: string | null) => {
  const ids = [...(fault === null ? [] : [`${id}-fault`]), ...(hint === undefined ? [] : [`${id}-hint`])];
  return ids.length === 0 ? undefined : ids.join(' ');
};

/** A number that is told at the field when it cannot be, and is then not used. */
export function NumberField(
  props: Limits & {
    id: string;
    name: string;
    hint?: string;
    value: number | null;
    disabled?: boolean;
    placeholder?: string;
    set: (value: number | null) => void;
  },
) {
  const { id, name, hint, value, set, disabled, placeholder, ...limits } = props;
  /** What stands in the field while it cannot be used. */
  const wrong = useSignal<{ text: string; fault: string } | null>(null);
  const fault = wrong.value?.fault ?? null;
  const { min, max, step } = limits;
  return (
    <Field id={id} name={name} hint={hint} fault={fault}>
      <input
        id={id}
        type="number"
        inputMode="decimal"
        {...{ min, max, step, disabled, placeholder }}
        value={wrong.value?.text ?? value ?? ''}
        aria-invalid={fault !== null}
        aria-describedby={describedBy(id, hint, fault)}
        onChange={(event) => {
          const input = event.currentTarget;
          const found = faultOf(input, limits);
          wrong.value = found === null ? null : { text: input.value, fault: found };
          set(found === null && input.value !== '' ? input.valueAsNumber : null);
        }}
      />
    </Field>
  );
}

function faultOf(input: HTMLInputElement, { min, max, whole }: Limits): string | null {
  if (input.value === '' && !input.validity.badInput) return null;
  const value = input.valueAsNumber;
  const fits = value >= min && value <= (max ?? Infinity);
  const right = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (fits && right) return null;
  const range =
    max === undefined
      ? ` of at least ${min.toLocaleString()}`
      : ` from ${min.toLocaleString()} to ${max.toLocaleString()}`;
  return `Not used: it has to be a ${whole ? 'whole ' : ''}number${whole && -min > 1e9 ? '' : range}.`;
}

/** A number of this browser's settings. */
export function SetNumber({ field, ...rest }: { field: NumberName; name: string; hint?: string } & Limits) {
  return (
    <NumberField
      id={`set-${field}`}
      {...rest}
      value={settings.value[field]}
      set={(value) => {
        change({ [field]: value });
      }}
    />
  );
}

/** A model's name; those that the provider lists are suggested. */
export function SetModel(props: { field: TextName; name: string; hint?: string; placeholder: string }) {
  const { field, name, hint, placeholder } = props;
  const id = `set-${field}`;
  return (
    <Field id={id} name={name} hint={hint}>
      <input
        id={id}
        list="models"
        maxLength={200}
        value={settings.value[field]}
        placeholder={placeholder}
        aria-describedby={describedBy(id, hint, null)}
        onInput={(event) => {
          change({ [field]: event.currentTarget.value.trim() });
        }}
      />
    </Field>
  );
}

/** Lines of text. What is wrong with them is said while they are written, and the text is kept. */
export function SetLines(props: {
  field: TextName;
  name: string;
  hint: string;
  rows: number;
  fault?: (text: string) => string | null;
}) {
  const { field, name, hint, rows } = props;
  const id = `set-${field}`;
  const text = settings.value[field];
  const fault = props.fault?.(text) ?? null;
  return (
    <Field id={id} name={name} hint={hint} fault={fault}>
      <textarea
        id={id}
        rows={rows}
        value={text}
        aria-invalid={fault !== null}
        aria-describedby={describedBy(id, hint, fault)}
        onInput={(event) => {
          change({ [field]: event.currentTarget.value });
        }}
      />
    </Field>
  );
}

export function SetSwitch({
  field,
  name,
  disabled,
}: {
  field: SwitchName;
  name: string;
  disabled?: boolean;
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        disabled={disabled}
        checked={settings.value[field]}
        onChange={(event) => {
          change({ [field]: event.currentTarget.checked });
        }}
      />
      {name}
    </label>
  );
}

/** One of a few, for this browser or for the session. */
export function Choice(props: {
  id: string;
  name: string;
  hint?: string;
  value: string;
  options: Record<string, string>;
  disabled?: boolean;
  set: (value: string) => void;
}) {
  const { id, name, hint, value, options, disabled, set } = props;
  return (
    <Field id={id} name={name} hint={hint}>
      <select
        id={id}
        disabled={disabled}
        value={value}
        aria-describedby={describedBy(id, hint, null)}
        onChange={(event) => {
          set(event.currentTarget.value);
        }}
      >
        {Object.entries(options).map(([option, words]) => (
          <option key={option} value={option}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}
