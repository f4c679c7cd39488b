/** A button that saves the rows of a table as CSV, with bare values. */
import type { Column } from "../table/Table.tsx";
import { Icon } from "./Icon.tsx";
import { saveCsv } from "./save.ts";

export function SaveCsv<Row>({ name, columns, rows }: { name: string; columns: readonly Column<Row>[]; rows: readonly Row[] }) {
  const save = () => saveCsv(name, columns.map((one) => one.csv ?? one.title), rows.map((row) => columns.map((one) => one.value(row))));
  return (
    <button type="button" className="icon-button icon-button-small" aria-label={`${name}: save as CSV`} title="Save as CSV" onClick={save}>
      <Icon name="download" size={17} />
    </button>
  );
}
