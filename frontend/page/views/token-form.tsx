import { useState } from 'preact/hooks';
import { setToken } from '../model/api.ts';
import { Field } from './parts.tsx';

/** Asks for the token by which the server knows who is there. */
export function TokenForm({ label, onToken }: { label: string; onToken: () => void }) {
  const [token, setText] = useState('');
  return (
    <form
      class="order-form"
      onSubmit={(event) => {
        event.preventDefault();
        setToken(token);
        onToken();
      }}
    >
      <Field label={label} hint="It is forgotten when you close this tab.">
        {(field) => (
          <input
            {...field}
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
  );
}
