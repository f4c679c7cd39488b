/** The newest walk-forward over history: every model beside the yardstick. */
import type { Leaderboard, Standing } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import { significant, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { Coverage, Skill } from "./parts.tsx";

const of = (name: string) => (row: Standing) => row.scores[name] ?? null;

const COLUMNS: readonly Column<Standing>[] = [
  {
    key: "model", title: "Model", width: "minmax(140px, 1.6fr)", value: (row) => row.model,
    cell: (row) => <>{title(row.model)} {row.model === "persistence" && <Badge>yardstick</Badge>}{row.model === "served" && <Badge tone="accent">after the gate</Badge>}</>,
  },
  { key: "skill", title: "Skill", width: "minmax(72px, .8fr)", align: "end", cell: (row) => <Skill value={of("skill")(row)} />, value: of("skill") },
  { key: "coverage", title: "In interval", width: "minmax(84px, .8fr)", align: "end", cell: (row) => <Coverage value={of("coverage")(row)} />, value: of("coverage") },
  { key: "mae", title: "Mean error", width: "minmax(88px, .8fr)", align: "end", from: 480, hint: "In the scale of the walk-forward: docs/evaluation.md", cell: (row) => significant(of("mae")(row)), value: of("mae") },
  { key: "dm_t", title: "DM t", width: "minmax(66px, .6fr)", align: "end", from: 560, hint: "Against the yardstick; below zero is better", cell: (row) => significant(of("dm_t")(row)), value: of("dm_t") },
];

export function Board({ target }: { target: string }) {
  const answer = useAnswer<Leaderboard>("/v1/leaderboard", { target });
  const rows = answer.data?.standings ?? [];
  const first = rows[0];
  return (
    <Panel
      title="On history, before it was served" flush
      about={first ? <>Walk-forward to <Time at={first.ts} as="day" />, {first.horizon} days ahead, run <code>{first.run_id}</code></> : "Walk-forward of every model beside the yardstick"}
      actions={rows.length > 0 && <SaveCsv name="Leaderboard" columns={COLUMNS} rows={rows} />}
    >
      <Answered of={answer}>
        {() => rows.length === 0
          ? <Empty title="No walk-forward yet"><p>The worker's job <code>forecasts</code> makes one a day, and <code>defimon evaluate</code> whenever it is asked.</p></Empty>
          : <Table label="Leaderboard" columns={COLUMNS} rows={rows} rowKey={(row) => `${row.model} ${row.horizon}`} rowHeight={38} />}
      </Answered>
    </Panel>
  );
}
