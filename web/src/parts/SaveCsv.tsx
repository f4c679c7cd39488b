/** A button that saves the rows of a table as CSV, with bare values. */
import { useAct } from "../api/useAct.ts";
import type { Column } from "../table/Table.tsx";
import { Icon } from "./Icon.tsx";
import { saveCsv } from "./save.ts";

interface Props<Row> {
  name: string;
  columns: readonly Column<Row>[];
  /** Those at hand, or how to ask for all of them. */
  rows: readonly Row[] | (() => Promise<readonly Row[]>);
}

export function SaveCsv<Row>({ name, columns, rows }: Props<Row>) {
  const { busy, problem, run } = useAct();
  const write = (all: readonly Row[]) => saveCsv(name, columns.map((one) => one.csv ?? one.title), all.map((row) => columns.map((one) => one.value(row))));
  const save = () => (typeof rows === "function" ? void run(async () => write(await rows())) : write(rows));
  return (
    <>
      {problem && <span className="bad" role="alert">Not saved: {problem.message}</span>}
      <button
        type="button" className="icon-button icon-button-small" aria-label={`${name}: save as CSV`} title={busy ? "Asking for all rows" : "Save as CSV"}
        aria-busy={busy} disabled={busy} onClick={save}
      >
        <Icon name="download" size={17} />
      </button>
    </>
  );
}
