/** The form of a rule, new or changed. */
import { type FormEvent, useState } from "react";
import type { Kind, Rule } from "../../api/alerts.ts";
import { useRunRefusal } from "../../api/caller.ts";
import { ask } from "../../api/client.ts";
import { useAct } from "../../api/useAct.ts";
import { title } from "../../format.ts";
import { Field, faultOf } from "../../parts/Field.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { KeyEntry } from "../../parts/KeyEntry.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { ErrorState } from "../../parts/states.tsx";
import { type Draft, EMPTY, asked, draftOf, ofKind, unitOf } from "./rules.ts";

interface Props {
  kinds: readonly Kind[];
  channels: readonly string[];
  /** The rule that is changed; a new one without it. */
  rule: Rule | undefined;
  onDone: () => void;
}

const ABOUT: Record<Kind["about"], [label: string, hint: string]> = {
  pools: ["Only these pools", "Ids by commas; all that fit the rest unless given"],
  assets: ["Assets", "Ids by commas, such as usd-coin"],
  series: ["Only these series", "Names by commas; defillama stands for all of that source"],
  models: ["Only these models", "Such as apy_mean:7; all unless given"],
};
const IN_FIELDS = ["name", "kind", "scope.names", "scope.chains", "scope.protocols", "scope.min_tvl_usd", "channels"];

export function RuleForm({ kinds, channels, rule, onDone }: Props) {
  const refusal = useRunRefusal();
  const act = useAct();
  const [draft, setDraft] = useState<Draft>(() => begun(kinds, rule));
  const kind = kinds.find((one) => one.name === draft.kind);
  if (!kind) return null;
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const [path, method] = rule ? [`/v1/alerts/rules/${encodeURIComponent(rule.rule_id)}`, "PUT" as const] : ["/v1/alerts/rules", "POST" as const];
    const saved = await act.run(() => ask<Rule>(path, { method, body: asked(draft, kind) }));
    if (!saved) return;
    setDraft(begun(kinds, undefined));
    onDone();
  };
  const fault = (field: string) => faultOf(act.problem, field);
  const shownElsewhere = act.problem && ![...IN_FIELDS, ...kind.settings.map((one) => `settings.${one.name}`)].some(fault);
  const given = { draft, kind, change, fault };
  return (
    <Panel title={rule ? "Change the rule" : "New rule"} about="A worker judges every rule when new figures come; one cause is told once">
      <form className="al-form" onSubmit={(event) => void submit(event)} noValidate>
        <Field label="Name" fault={fault("name")}>
          {(own) => <input {...own} type="text" className="input" maxLength={80} placeholder="my stablecoins" value={draft.name} onChange={(event) => change({ name: event.target.value })} />}
        </Field>
        <Field label="Tell me when" hint={kind.doc.replaceAll("`", "")} fault={fault("kind")}>
          {(own) => (
            <select {...own} className="select" value={draft.kind} onChange={(event) => setDraft(ofKind(draft, kinds.find((one) => one.name === event.target.value) ?? kind))}>
              {kinds.map((one) => <option key={one.name} value={one.name}>{title(one.name)}</option>)}
            </select>
          )}
        </Field>
        <Settings {...given} />
        <Where {...given} />
        <Told {...given} channels={channels} />
        {shownElsewhere && act.problem && <ErrorState problem={act.problem} />}
        <div className="row">
          <button type="submit" className="button button-strong" disabled={act.busy || refusal !== null || !draft.name.trim()}><Icon name={rule ? "check" : "plus"} size={16} />{act.busy ? "Saving…" : rule ? "Save" : "Keep the rule"}</button>
          {rule && <button type="button" className="button" onClick={onDone}>Leave it as it was</button>}
        </div>
      </form>
      {refusal && <div className="al-key"><p>Keeping rules {refusal}.</p><KeyEntry /></div>}
    </Panel>
  );
}

function begun(kinds: readonly Kind[], rule: Rule | undefined): Draft {
  if (rule) return draftOf(rule, kinds.find((one) => one.name === rule.kind));
  const first = kinds.find((one) => one.name === "apy_below") ?? kinds[0];
  return first ? ofKind(EMPTY, first) : EMPTY;
}

interface Part {
  draft: Draft;
  kind: Kind;
  change: (part: Partial<Draft>) => void;
  fault: (field: string) => string | null;
}

function Settings({ draft, kind, change, fault }: Part) {
  if (kind.settings.length === 0) return null;
  return (
    <div className="al-fields">
      {kind.settings.map((one) => (
        <Field key={one.name} label={`${title(one.name.replace("_usd", ""))}, ${unitOf(one)}`} hint={one.doc} fault={fault(`settings.${one.name}`)}>
          {(own) => (
            <input
              {...own} type="number" inputMode="decimal" step="any" className="input" value={draft.settings[one.name] ?? ""}
              onChange={(event) => change({ settings: { ...draft.settings, [one.name]: event.target.value } })}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

function Where({ draft, kind, change, fault }: Part) {
  const [label, hint] = ABOUT[kind.about];
  const text = (name: "chains" | "protocols", head: string) => (
    <Field label={head} hint="By commas" fault={fault(`scope.${name}`)}>
      {(own) => <input {...own} type="text" className="input" placeholder="all" value={draft[name]} onChange={(event) => change({ [name]: event.target.value })} />}
    </Field>
  );
  return (
    <>
      <Field label={label} hint={hint} fault={fault("scope.names")}>
        {(own) => <input {...own} type="text" className="input" value={draft.names} onChange={(event) => change({ names: event.target.value })} />}
      </Field>
      {kind.about === "pools" && (
        <div className="al-fields">
          {text("chains", "Only these chains")}
          {text("protocols", "Only these protocols")}
          <Field label="Stablecoins">
            {(own) => (
              <select {...own} className="select" value={draft.stablecoin} onChange={(event) => change({ stablecoin: event.target.value as Draft["stablecoin"] })}>
                <option value="">and others</option><option value="yes">alone</option><option value="no">not</option>
              </select>
            )}
          </Field>
          <Field label="TVL from, USD" fault={fault("scope.min_tvl_usd")}>
            {(own) => <input {...own} type="number" inputMode="decimal" step="any" className="input" value={draft.min_tvl_usd} onChange={(event) => change({ min_tvl_usd: event.target.value })} />}
          </Field>
        </div>
      )}
    </>
  );
}

function Told({ draft, change, fault, channels }: Part & { channels: readonly string[] }) {
  const toggle = (name: string) => change({ channels: draft.channels.includes(name) ? draft.channels.filter((one) => one !== name) : [...draft.channels, name] });
  const wrong = fault("channels");
  return (
    <fieldset className="al-channels">
      <legend>Channels that are told</legend>
      {channels.length === 0
        ? <p className="quiet">The history alone. <code>DEFIMON_ALERT_CHANNELS</code> names channels: e-mail, Telegram, Slack, web hooks.</p>
        : <div className="row">{channels.map((name) => <label key={name} className="check"><input type="checkbox" checked={draft.channels.includes(name)} onChange={() => toggle(name)} />{name}</label>)}</div>}
      {wrong && <small className="bad" role="alert">{wrong}</small>}
      <label className="check"><input type="checkbox" checked={draft.shared} onChange={(event) => change({ shared: event.target.checked })} />Whoever may read sees what it finds</label>
    </fieldset>
  );
}
