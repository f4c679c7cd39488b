/** What is asked: a state document, two tokens, and how much. */
import { type ChangeEvent, type FormEvent, useRef } from "react";
import type { Problem } from "../../api/problem.ts";
import { title } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { Field, faultOf } from "../../parts/Field.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { EXAMPLES, type Example, type StateDocument, partners } from "./document.ts";

export type Size = "amount" | "receive" | "max_impact";

export interface Draft {
  text: string;
  /** Name of the example that is shown; empty once it was changed. */
  example: string;
  sell: string;
  buy: string;
  pool: string;
  size: Size;
  value: string;
}

const SIZES = [["amount", "Sell"], ["receive", "Receive"], ["max_impact", "Impact at most"]] as const;
const HINTS: Record<Size, string> = {
  amount: "Tokens sold, such as 1500 or 0.25",
  receive: "Tokens to be bought, exactly",
  max_impact: "30bps, 0.3% or 0.003: the largest sale within it",
};

interface Props {
  draft: Draft;
  document: StateDocument | string;
  busy: boolean;
  problem: Problem | null;
  onChange: (part: Partial<Draft>) => void;
  onExample: (example: Example) => void;
  onAsk: () => void;
}

export function Question({ draft, document, busy, problem, onChange, onExample, onAsk }: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk();
  };
  const ready = typeof document !== "string" && draft.sell !== "" && draft.value.trim() !== "";
  return (
    <form className="ex-question" onSubmit={submit} noValidate>
      <StatePanel draft={draft} document={document} onChange={onChange} onExample={onExample} />
      <Panel title="Trade">
        <div className="ex-trade">
          {typeof document !== "string" && <Tokens draft={draft} document={document} onChange={onChange} />}
          <div className="field">
            <span className="label">How much</span>
            <Choice label="How much" value={draft.size} options={SIZES} onChange={(size) => onChange({ size, value: size === "max_impact" ? "0.5%" : "1" })} />
          </div>
          <Field label={SIZES.find(([name]) => name === draft.size)?.[1] ?? ""} hint={HINTS[draft.size]} fault={faultOf(problem, draft.size)}>
            {(given) => <input {...given} type="text" inputMode={draft.size === "max_impact" ? "text" : "decimal"} autoComplete="off" className="input" value={draft.value} onChange={(event) => onChange({ value: event.target.value })} />}
          </Field>
          <button type="submit" className="button button-strong" disabled={busy || !ready}><Icon name="execution" size={16} />{busy ? "Quoting…" : "Quote"}</button>
        </div>
      </Panel>
    </form>
  );
}

function StatePanel({ draft, document, onChange, onExample }: Pick<Props, "draft" | "document" | "onChange" | "onExample">) {
  const file = useRef<HTMLInputElement>(null);
  const open = async (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = event.target.files?.[0];
    if (chosen) onChange({ text: await chosen.text(), example: "" });
    event.target.value = "";
  };
  const take = (name: string) => {
    const example = EXAMPLES.find((one) => one.name === name);
    if (example) onExample(example);
  };
  const about = <>One block's state: <code>defimon amm read</code> writes it, the API takes it</>;
  return (
    <Panel title="Pool state" about={about}>
      <div className="ex-state">
        <Field label="Example">
          {(given) => (
            <select {...given} className="select" value={draft.example} onChange={(event) => take(event.target.value)}>
              {draft.example === "" && <option value="">your own document</option>}
              {EXAMPLES.map((one) => <option key={one.name} value={one.name}>{one.title}</option>)}
            </select>
          )}
        </Field>
        <Field label="Document" fault={typeof document === "string" ? document : null}>
          {(given) => (
            <textarea
              {...given} className="input" rows={9} spellCheck={false} autoComplete="off" value={draft.text} placeholder='{"format": "defimon.pools", "version": 1, …}'
              onChange={(event) => onChange({ text: event.target.value, example: "" })}
            />
          )}
        </Field>
        <div className="row">
          <button type="button" className="button" onClick={() => file.current?.click()}>Open a file</button>
          <input ref={file} type="file" accept=".json,application/json" className="visually-hidden" aria-label="State document" tabIndex={-1} onChange={(event) => void open(event)} />
          {typeof document !== "string" && <Read document={document} />}
        </div>
      </div>
    </Panel>
  );
}

function Read({ document }: { document: StateDocument }) {
  const types = [...new Set(document.pools.map((pool) => title(pool.type)))].join(", ");
  return (
    <p className="quiet">
      {document.pools.length} {document.pools.length === 1 ? "pool" : "pools"} ({types}) · chain {document.chain}, block {document.block}
      {document.origin === "simulated" && " · simulated"}
    </p>
  );
}

function Tokens({ draft, document, onChange }: { draft: Draft; document: StateDocument; onChange: Props["onChange"] }) {
  const others = partners(document, draft.sell);
  const fitting = document.pools.filter((pool) => pool.tokens.includes(draft.sell) && pool.tokens.includes(draft.buy));
  const sell = (id: string) => onChange({ sell: id, buy: partners(document, id)[0]?.id ?? "", pool: "" });
  return (
    <div className="ex-tokens">
      <Field label="Sell">
        {(given) => <select {...given} className="select" value={draft.sell} onChange={(event) => sell(event.target.value)}>{document.tokens.map((one) => <option key={one.id} value={one.id}>{one.symbol}</option>)}</select>}
      </Field>
      <button
        type="button" className="icon-button" aria-label="The other way round" title="The other way round" disabled={!draft.buy}
        onClick={() => onChange({ sell: draft.buy, buy: draft.sell })}
      ><Icon name="execution" size={18} /></button>
      <Field label="Buy">
        {(given) => <select {...given} className="select" value={draft.buy} onChange={(event) => onChange({ buy: event.target.value, pool: "" })}>{others.map((one) => <option key={one.id} value={one.id}>{one.symbol}</option>)}</select>}
      </Field>
      <Field label="In" className="ex-wide">
        {(given) => (
          <select {...given} className="select" value={draft.pool} onChange={(event) => onChange({ pool: event.target.value })}>
            <option value="">every pool that trades them</option>
            {fitting.map((pool) => <option key={pool.id} value={pool.id}>{pool.id}</option>)}
          </select>
        )}
      </Field>
    </div>
  );
}
