/** The rules: switched on and off, tried, changed, removed. */
import { useState } from "react";
import type { Kind, MessagePage, Rule } from "../../api/alerts.ts";
import { ask } from "../../api/client.ts";
import { useKey } from "../../api/key.ts";
import { useAct } from "../../api/useAct.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Empty, ErrorState } from "../../parts/states.tsx";
import type { Column } from "../../table/Table.tsx";
import { saysOf, scopeWords, switched } from "./rules.ts";

interface Props {
  rules: readonly Rule[];
  kinds: readonly Kind[];
  onChange: () => void;
  onEdit: (rule: Rule) => void;
}

export function RuleList({ rules, kinds, onChange, onEdit }: Props) {
  const key = useKey();
  const columns: readonly Column<Rule>[] = [
    ...(["name", "kind", "owner", "enabled", "shared"] as const).map((name) => ({ key: name, title: name, width: "", cell: () => null, value: (row: Rule) => row[name] })),
    { key: "says", title: "looks for", width: "", cell: () => null, value: (row) => saysOf(row, kinds.find((one) => one.name === row.kind)) },
    { key: "scope", title: "of", width: "", cell: () => null, value: (row) => scopeWords(row.scope) },
    { key: "channels", title: "channels", width: "", cell: () => null, value: (row) => row.channels.join(" ") },
  ];
  return (
    <Panel title="Rules" about="Yours, 100 at most; an admin's key shows everybody's" actions={rules.length > 0 && <SaveCsv name="Alert rules" columns={columns} rows={rules} />}>
      {rules.length === 0 ? (
        <Empty title={key ? "No rule yet" : "Yours are shown with your key"}>
          <p>{key ? "Name one, say what it looks for, and keep it: what it finds stands above." : "A rule belongs to the key that kept it. Enter it at the form, or with the key button above."}</p>
        </Empty>
      ) : (
        <ul className="al-rules">
          {rules.map((rule) => <One key={rule.rule_id} rule={rule} kind={kinds.find((one) => one.name === rule.kind)} onChange={onChange} onEdit={onEdit} />)}
        </ul>
      )}
    </Panel>
  );
}

function One({ rule, kind, onChange, onEdit }: { rule: Rule; kind: Kind | undefined } & Pick<Props, "onChange" | "onEdit">) {
  const act = useAct();
  const [sent, setSent] = useState(0);
  const path = `/v1/alerts/rules/${encodeURIComponent(rule.rule_id)}`;
  const change = async (work: () => Promise<unknown>) => {
    const done = await act.run(async () => { await work(); return true; });
    if (done) onChange();
  };
  const remove = () => {
    if (confirm(`Remove the rule ${rule.name}? What it found stays in the history.`)) void change(() => ask(path, { method: "DELETE" }));
  };
  const test = async () => {
    const told = await act.run(() => ask<Pick<MessagePage, "messages">>(`${path}/test`, { method: "POST" }));
    if (!told) return;
    setSent(told.messages.length);
    onChange();
  };
  return (
    <li>
      <div className="al-rule">
        <label className="check" title={rule.enabled ? "It is judged" : "It is not judged"}>
          <input type="checkbox" checked={rule.enabled} disabled={act.busy} aria-label={`Judge ${rule.name}`} onChange={(event) => void change(() => ask(path, { method: "PUT", body: switched(rule, event.target.checked) }))} />
        </label>
        <div className="al-words">
          <p><b>{rule.name}</b> {!rule.enabled && <Badge>off</Badge>} {rule.shared && <Badge tone="accent">shared</Badge>} {rule.channels.map((name) => <Badge key={name}>{name}</Badge>)}</p>
          <p className="quiet">{saysOf(rule, kind)} · {scopeWords(rule.scope)}</p>
        </div>
        <div className="al-buttons">
          <button type="button" className="button" disabled={act.busy || rule.channels.length === 0} title={rule.channels.length === 0 ? "It has no channel" : "Send a message to each of its channels"} onClick={() => void test()}>Test</button>
          <button type="button" className="button" aria-label={`Change ${rule.name}`} onClick={() => onEdit(rule)}>Change</button>
          <button type="button" className="icon-button" aria-label={`Remove ${rule.name}`} title="Remove" onClick={remove}><Icon name="trash" size={17} /></button>
        </div>
      </div>
      {sent > 0 && <p className="notice tone-good" role="status">{sent === 1 ? "A message waits" : `${sent} messages wait`} for a worker to send; below stands what becomes of it.</p>}
      {act.problem && <ErrorState problem={act.problem} />}
    </li>
  );
}
