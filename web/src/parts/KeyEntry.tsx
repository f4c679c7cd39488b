/** Enter a key, or forget the one that is in use. A key is tried before it is kept. */
import { type FormEvent, useId, useState } from "react";
import { accepts } from "../api/client.ts";
import { setKey, useKey } from "../api/key.ts";

export function KeyEntry({ onDone }: { onDone?: () => void }) {
  const key = useKey();
  const [text, setText] = useState("");
  const [fault, setFault] = useState("");
  const [trying, setTrying] = useState(false);
  const id = useId();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const entered = text.trim();
    if (!entered || trying) return;
    setTrying(true);
    const refused = await accepts(entered);
    setTrying(false);
    setFault(refused ?? "");
    if (refused !== null) return;
    setKey(entered);
    setText("");
    onDone?.();
  };
  return (
    <form className="key-entry" onSubmit={(event) => void submit(event)}>
      <label htmlFor={id}>{key ? "Another key" : "API key"}</label>
      <div className="row">
        <input
          id={id} type="password" value={text} placeholder="dfm_…" autoComplete="off" spellCheck={false} aria-invalid={fault !== ""}
          onChange={(event) => setText(event.target.value)} aria-describedby={`${id}-about`}
        />
        <button type="submit" className="button button-strong" disabled={trying}>{trying ? "Trying…" : "Use key"}</button>
        {key && <button type="button" className="button" onClick={() => { setKey(null); onDone?.(); }}>Forget it</button>}
      </div>
      {fault && <p className="bad" role="alert">{fault}</p>}
      <p id={`${id}-about`} className="quiet">
        <code>defimon keys create NAME --scope run</code> makes one. It stays in this tab until the tab is closed.
      </p>
    </form>
  );
}
