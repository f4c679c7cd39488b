/** Enter a key, or forget the one that is in use. */
import { type FormEvent, useId, useState } from "react";
import { setKey, useKey } from "../api/key.ts";

export function KeyEntry({ onDone }: { onDone?: () => void }) {
  const key = useKey();
  const [text, setText] = useState("");
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    setKey(text);
    setText("");
    onDone?.();
  };
  return (
    <form className="key-entry" onSubmit={submit}>
      <label htmlFor={id}>{key ? "Another key" : "API key"}</label>
      <div className="row">
        <input
          id={id} type="password" value={text} placeholder="dfm_…" autoComplete="off" spellCheck={false}
          onChange={(event) => setText(event.target.value)} aria-describedby={`${id}-about`}
        />
        <button type="submit" className="button button-strong">Use key</button>
        {key && <button type="button" className="button" onClick={() => { setKey(null); onDone?.(); }}>Forget it</button>}
      </div>
      <p id={`${id}-about`} className="quiet">
        <code>defimon keys create NAME --scope run</code> makes one. It stays in this tab until the tab is closed.
      </p>
    </form>
  );
}
