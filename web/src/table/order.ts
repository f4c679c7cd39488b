/** Rows in the order of a column; what is missing comes last either way. */
import type { Column, Sort } from "./Table.tsx";

const words = new Intl.Collator("en", { sensitivity: "base", numeric: true });

export function sorted<Row>(rows: readonly Row[], column: Pick<Column<Row>, "value"> | undefined, sort: Sort | undefined): readonly Row[] {
  if (!column || !sort) return rows;
  const way = sort.descending ? -1 : 1;
  const keyed = rows.map((row, at) => ({ row, at, key: column.value(row) }));
  keyed.sort((one, other) => {
    const missing = Number(one.key === null || one.key === undefined) - Number(other.key === null || other.key === undefined);
    if (missing) return missing;
    if (one.key === null || one.key === undefined) return one.at - other.at;
    const both = typeof one.key === "number" && typeof other.key === "number";
    const found = both ? (one.key as number) - (other.key as number) : words.compare(String(one.key), String(other.key));
    return found * way || one.at - other.at;
  });
  return keyed.map(({ row }) => row);
}
