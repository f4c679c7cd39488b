/** Rows that the quality rules set apart: kept to be looked at, used by nothing. */
import { useState } from "react";
import type { Quarantine, RowApart, RuleRows } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import { Link, poolHref } from "../../app/router.tsx";
import { figure, title } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { type Column, Table } from "../../table/Table.tsx";

const DAYS = [["7", "7 d"], ["30", "30 d"], ["365", "1 y"]] as const;
const ROWS = 500;
const POOL_TABLES = new Set(["panel", "yields", "pools"]);

const said = (rule: string) => rule.replaceAll("_", " ");

const RULES: readonly Column<RuleRows>[] = [
  { key: "rule", title: "Rule", width: "minmax(130px, 1.4fr)", cell: (row) => said(row.rule), value: (row) => row.rule },
  { key: "source", title: "Source", width: "minmax(100px, 1.1fr)", cell: (row) => title(row.source), value: (row) => row.source },
  { key: "rows", title: "Rows", width: "minmax(64px, .6fr)", align: "end", cell: (row) => figure(row.rows), value: (row) => row.rows },
  { key: "last", title: "Newest", width: "minmax(100px, .8fr)", align: "end", from: 420, csv: "last (UTC)", cell: (row) => <Time at={row.last} as="ago" />, value: (row) => row.last },
];

const NEWEST: readonly Column<RowApart>[] = [
  {
    key: "row_key", title: "Row", width: "minmax(150px, 2fr)", value: (row) => row.row_key,
    cell: (row) => POOL_TABLES.has(row.row_table) ? <Link href={poolHref(row.row_key)}>{row.row_key}</Link> : row.row_key,
  },
  { key: "rule", title: "Rule", width: "minmax(120px, 1.2fr)", cell: (row) => said(row.rule), value: (row) => row.rule },
  { key: "source", title: "Source", width: "minmax(100px, 1fr)", from: 640, cell: (row) => title(row.source), value: (row) => row.source },
  { key: "ts", title: "Time", width: "minmax(164px, 1fr)", align: "end", from: 460, csv: "ts (UTC)", cell: (row) => <Time at={row.ts} />, value: (row) => row.ts },
];

export function SetApart() {
  const [days, setDays] = useState<(typeof DAYS)[number][0]>("30");
  const answer = useAnswer<Quarantine>("/v1/quarantine", { days, limit: ROWS });
  return (
    <Panel
      title="Quarantine" about="Rows that a quality rule set apart: kept to be looked at, used by nothing" flush
      actions={<>
        <Choice label="Range" value={days} options={DAYS} onChange={setDays} />
        {answer.data && answer.data.total > 0 && <SaveCsv name="Quarantine" columns={NEWEST} rows={answer.data.rows} />}
      </>}
    >
      <Answered of={answer}>
        {(found) => found.total === 0 ? (
          <Empty title="Nothing was set apart"><p>No row of this time broke a rule so badly that it cannot be used. What is only doubted stays, with a mark.</p></Empty>
        ) : (
          <div className="apart">
            <Table label="Rows set apart by rule" columns={RULES} rows={found.rules} rowKey={(row) => `${row.source} ${row.rule}`} height={380} rowHeight={36} />
            <Table label="Newest rows set apart" columns={NEWEST} rows={found.rows} rowKey={(row, at) => `${row.row_key} ${row.ts} ${row.rule} ${at}`} height={380} rowHeight={36} />
          </div>
        )}
      </Answered>
    </Panel>
  );
}
