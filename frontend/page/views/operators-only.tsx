import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get, Refusal, setToken } from '../model/api.ts';
import { Field, Notice } from './parts.tsx';

/**
 * Shows what operators may see. Where the server lets only operators in, it asks for their token first.
 * @param path what only operators may ask for.
 */
export function OperatorsOnly({ path, children }: { path: string; children: ComponentChildren }) {
  const [access, setAccess] = useState<'asking' | 'open' | Refusal>('asking');
  const [token, setText] = useState('');
  const knock = () => {
    get(path).then(
      () => setAccess('open'),
      (error: unknown) => {
        const isClosed = error instanceof Refusal && (error.status === 401 || error.status === 403);
        // Any other fault is shown where it is met.
        setAccess(isClosed ? error : 'open');
      },
    );
  };
  useEffect(knock, [path]);
  if (access === 'open') return <>{children}</>;
  if (access === 'asking') return <p class="empty">Loading…</p>;
  return (
    <section class="card" aria-labelledby="locked-title">
      <h1 id="locked-title">For operators</h1>
      <Notice kind="bad" title="The server doesn’t let you in" lines={[access.message]} />
      <form
        class="order-form"
        onSubmit={(event) => {
          event.preventDefault();
          setToken(token);
          knock();
        }}
      >
        <Field label="Operators’ token" hint="It is forgotten when you close this tab.">
          {(id) => (
            <input
              id={id}
              type="password"
              autocomplete="off"
              required
              value={token}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="buttons">
          <button type="submit" class="primary">
            Enter
          </button>
        </div>
      </form>
    </section>
  );
}
