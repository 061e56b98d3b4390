import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get, Refusal } from '../model/api.ts';
import { Notice } from './parts.tsx';
import { TokenForm } from './token-form.tsx';

/**
 * Shows what operators may see. Where the server lets only operators in, it asks for their token first.
 * @param path what only operators may ask for.
 */
export function OperatorsOnly({ path, children }: { path: string; children: ComponentChildren }) {
  const [access, setAccess] = useState<'asking' | 'open' | Refusal>('asking');
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
      <TokenForm label="Operators’ token" onToken={knock} />
    </section>
  );
}
