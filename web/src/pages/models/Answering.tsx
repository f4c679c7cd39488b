/** Who answers, who stands in shadow, and the way back. */
import { type FormEvent, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { ask } from "../../api/client.ts";
import type { ModelVersion } from "../../api/types.ts";
import { useAct } from "../../api/useAct.ts";
import type { RolledBack } from "../../api/work.ts";
import { Link } from "../../app/router.tsx";
import { share, title, utcDay } from "../../format.ts";
import { Field } from "../../parts/Field.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { ErrorState } from "../../parts/states.tsx";
import { type Alias, holderOf, skillOf } from "./words.ts";

interface Props {
  versions: readonly ModelVersion[];
  target: string;
  horizon: number;
  onChange: () => void;
}

const WORDS: Record<Alias, [label: string, nobody: string, note: string]> = {
  champion: ["Champion", "Nobody", "the walk of each day decides who answers"],
  challenger: ["Challenger", "None", "the job retrain makes one"],
  previous: ["Champion before", "None", "a step back leads to the walk of each day"],
};

export function Answering({ versions, target, horizon, onChange }: Props) {
  return (
    <section aria-label="Who answers">
      <Stats label="Who answers">
        {(["champion", "challenger", "previous"] as const).map((alias) => <Holder key={alias} alias={alias} version={holderOf(versions, alias)} />)}
        <StepBack target={target} horizon={horizon} possible={holderOf(versions, "champion") !== undefined} onChange={onChange} />
      </Stats>
    </section>
  );
}

function Holder({ alias, version }: { alias: Alias; version: ModelVersion | undefined }) {
  const [label, nobody, note] = WORDS[alias];
  if (!version) return <Stat label={label} value={<span className="stat-word quiet">{nobody}</span>} note={note} />;
  const skill = skillOf(version);
  return (
    <Stat
      label={label} value={<Link className="stat-word" href={`/models/${version.version}`}>{title(version.model)}</Link>}
      note={<>{version.version.slice(0, 12)} · fitted {utcDay(version.ts)}{skill !== null && ` · skill ${share(skill, 1)}`}</>}
    />
  );
}

function StepBack({ target, horizon, possible, onChange }: { target: string; horizon: number; possible: boolean; onChange: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const act = useAct();
  const [reason, setReason] = useState("");
  const close = () => { dialog.current?.close(); act.forget(); };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await act.run(() => ask<RolledBack>("/v1/models/rollback", { method: "POST", body: { target, horizon, ...(reason.trim() ? { reason: reason.trim() } : {}) } }));
    if (!done) return;
    setReason("");
    close();
    onChange();
  };
  return (
    <>
      <Stat
        label="Way back" note={possible ? "needs a key of scope admin" : "there is nothing to take back"}
        value={<button type="button" className="button mo-back" disabled={!possible} onClick={() => dialog.current?.showModal()}><Icon name="back" size={16} />Roll back</button>}
      />
      {createPortal(
      <dialog ref={dialog} className="dialog" aria-label="Roll back" onClick={(event) => { if (event.target === dialog.current) close(); }}>
        <form className="dialog-body" onSubmit={(event) => void submit(event)}>
          <header className="dialog-head">
            <h2>Roll back</h2>
            <button type="button" className="icon-button" aria-label="Close" onClick={close}><Icon name="close" /></button>
          </header>
          <p>The version answers that was champion before; when there is none, the walk of each day decides. It holds from the next forecasts on.</p>
          <Field label="Why" hint="Stands in the history of models">
            {(given) => <input {...given} type="text" className="input" maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />}
          </Field>
          <div className="row"><button type="submit" className="button button-strong" disabled={act.busy}>{act.busy ? "Rolling back…" : "Roll back"}</button></div>
        </form>
        {act.problem && <ErrorState problem={act.problem} />}
      </dialog>,
        document.body,
      )}
    </>
  );
}
