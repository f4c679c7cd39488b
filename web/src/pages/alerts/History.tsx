/** What rules found, and the messages about it. */
import type { Alert, AlertPage, Message, MessagePage } from "../../api/alerts.ts";
import { type Answer, useAnswer } from "../../api/useAnswer.ts";
import { poolHref, setQuery } from "../../app/router.tsx";
import { figure, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Choice } from "../../parts/Choice.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { found } from "./rules.ts";

const STATES = [["", "All"], ["open", "Open"], ["cleared", "Over"]] as const;
const MOST = 1_000;

const ALERTS: readonly Column<Alert>[] = [
  {
    key: "told", title: "Alert", width: "minmax(180px, 3.4fr)", value: (row) => row.told,
    cell: (row) => <span className="grid-two"><span title={row.told}>{row.told.replace(` (${row.subject})`, "")}</span><span>{title(row.kind)} · {row.subject}</span></span>,
  },
  { key: "state", title: "State", width: "minmax(74px, .6fr)", cell: (row) => <Badge tone={row.state === "open" ? "warn" : "plain"}>{row.state === "open" ? "open" : "over"}</Badge>, value: (row) => row.state },
  { key: "value", title: "Found", width: "minmax(90px, .8fr)", align: "end", from: 480, csv: "value", cell: (row) => found(row.value, row.unit), value: (row) => row.value },
  { key: "ts", title: "Since", width: "minmax(106px, .8fr)", align: "end", from: 400, csv: "ts (UTC)", cell: (row) => <Time at={row.ts} as="ago" />, value: (row) => row.ts },
  { key: "cleared_at", title: "Over", width: "minmax(106px, .8fr)", align: "end", from: 640, csv: "cleared_at (UTC)", cell: (row) => <Time at={row.cleared_at} as="ago" />, value: (row) => row.cleared_at },
];
const FILE: readonly Column<Alert>[] = [...ALERTS, ...(["kind", "subject", "unit", "rule_id", "owner"] as const).map((name) => ({ key: name, title: name, width: "", cell: () => null, value: (row: Alert) => row[name] }))];

export function History({ state }: { state: string }) {
  const answer = useAnswer<AlertPage>("/v1/alerts", { limit: MOST, state });
  const rows = answer.data?.alerts ?? [];
  const total = answer.data?.total ?? 0;
  const actions = (
    <>
      <Choice label="State" value={state} options={STATES} onChange={(one) => setQuery({ state: one })} />
      {rows.length > 0 && <SaveCsv name="Alerts" columns={FILE} rows={rows} />}
    </>
  );
  const linked = (row: Alert) => (/^(apy|forecast|tvl|interval)/.test(row.kind) ? poolHref(row.subject) : "/data");
  return (
    <Panel title="Alerts" flush about={total > rows.length ? `The newest ${figure(rows.length)} of ${figure(total)}` : "What your rules found, and shared ones of others"} actions={actions}>
      <Answered of={answer}>
        {() => rows.length === 0
          ? <Empty title={state === "open" ? "Nothing is amiss" : "Nothing was found"}><p>Rules are judged when new figures come; a cause stands here as long as it lasts, and afterwards as history.</p></Empty>
          : <Table label="Alerts" columns={ALERTS} rows={rows} rowKey={(row) => row.alert_id} href={linked} height={420} rowHeight={50} />}
      </Answered>
    </Panel>
  );
}

const TONES: Record<Message["state"], "good" | "bad" | "warn" | "plain"> = { waiting: "plain", sending: "plain", sent: "good", failed: "bad", unsure: "warn" };

const MESSAGES: readonly Column<Message>[] = [
  {
    key: "title", title: "Message", width: "minmax(160px, 3fr)", value: (row) => row.title,
    cell: (row) => <span className="grid-two"><span title={row.body}>{row.title}</span><span title={row.error ?? row.body}>{row.error ?? row.body}</span></span>,
  },
  { key: "state", title: "State", width: "minmax(96px, .7fr)", cell: (row) => <Badge tone={TONES[row.state]} title={`${row.attempts} tries`}>{row.state}</Badge>, value: (row) => row.state },
  { key: "channel", title: "Channel", width: "minmax(80px, .7fr)", from: 440, cell: (row) => row.channel, value: (row) => row.channel },
  { key: "written_at", title: "Written", width: "minmax(106px, .8fr)", align: "end", from: 520, csv: "written_at (UTC)", cell: (row) => <Time at={row.written_at} as="ago" />, value: (row) => row.written_at },
  { key: "next_at", title: "Next try", width: "minmax(106px, .8fr)", align: "end", from: 700, csv: "next_at (UTC)", cell: (row) => <Time at={row.next_at} as="ago" />, value: (row) => row.next_at },
];

export function Messages({ answer }: { answer: Answer<MessagePage> }) {
  const rows = answer.data?.messages ?? [];
  return (
    <Panel title="Messages" flush about="To channels, and whether they arrived" actions={rows.length > 0 && <SaveCsv name="Messages" columns={MESSAGES} rows={rows} />}>
      <Answered of={answer}>
        {() => rows.length === 0
          ? <Empty title="None was sent"><p>A rule with a channel sends one for each new cause; <b>Test</b> sends one now.</p></Empty>
          : <Table label="Messages" columns={MESSAGES} rows={rows} rowKey={(row) => `${row.message_id} ${row.channel}`} height={340} rowHeight={50} />}
      </Answered>
    </Panel>
  );
}
