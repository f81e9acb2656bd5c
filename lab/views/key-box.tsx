import { hasKey, useKey } from '../state/key.ts';

/** Asks for the key that this server wants. What was typed elsewhere outlives the reload. */
export function KeyBox() {
  return (
    <section class="banner" aria-label="Key">
      {hasKey() && <p role="alert">The key that you gave is wrong, or is not valid any more.</p>}
      <form
        class="key-box"
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget).get('key');
          if (typeof given !== 'string' || given.trim() === '') return;
          useKey(given.trim());
          window.location.reload();
        }}
      >
        <label>
          This server asks for a key. It is kept in this tab only.
          <input
            name="key"
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            pattern="\s*[!-~]+\s*"
            title="A key is made of letters, digits and plain signs, without blanks in it."
          />
        </label>
        <button class="button" type="submit">
          Use this key
        </button>
      </form>
    </section>
  );
}
