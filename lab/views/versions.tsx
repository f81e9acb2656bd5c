import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { trying } from '../actions/problems.ts';
import { sessionId } from '../state/model.ts';

/** What something was before it was changed, read when it is asked for. */
export function Versions<V extends { version: number }>(props: {
  read: (sessionId: string) => Promise<{ versions: V[] }>;
  say: (version: V) => ComponentChildren;
}) {
  const versions = useSignal<V[] | null>(null);
  useEffect(() => {
    const { value: session } = sessionId;
    if (session === null) return;
    void trying(async () => {
      versions.value = (await props.read(session)).versions;
    });
  }, []);
  if (!versions.value) return null;
  if (versions.value.length === 0) return <p class="quiet">It was never changed.</p>;
  return (
    <ol class="versions" aria-label="What it was">
      {versions.value.map((version) => (
        <li key={version.version}>{props.say(version)}</li>
      ))}
    </ol>
  );
}

/** Says that somebody else was faster, and that nothing typed is lost. */
export function Overtaken() {
  return (
    <p role="alert">
      Somebody else has changed it meanwhile; above stands what it says now. What you typed is still here:
      save once more to put it in its place.
    </p>
  );
}
