/** Columns of what strategies came to. */
import type { StrategyFigures } from "../../api/work.ts";
import { figure, percent, points, significant, title, usd } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import type { Column } from "../../table/Table.tsx";

type Read = (row: StrategyFigures) => number | null;

function column(key: string, head: string, read: Read, show: (value: number | null) => string, rest: Partial<Column<StrategyFigures>> = {}): Column<StrategyFigures> {
  return { key, title: head, width: "minmax(88px, 1fr)", align: "end", cell: (row) => show(read(row)), value: read, ...rest };
}

function Versus({ row }: { row: StrategyFigures }) {
  if (row.versus_hold === null) return <>{points(null)}</>;
  const proved = row.versus_hold_low !== null && row.versus_hold_high !== null && (row.versus_hold_low > 0 || row.versus_hold_high < 0);
  return <span className={proved ? (row.versus_hold > 0 ? "good" : "bad") : ""}>{points(row.versus_hold)}</span>;
}

export function versusRange(row: StrategyFigures): string {
  return `90 %: ${points(row.versus_hold_low)} to ${points(row.versus_hold_high)}`;
}

export const FIGURES: readonly Column<StrategyFigures>[] = [
  {
    key: "strategy", title: "Strategy", width: "minmax(140px, 1.8fr)", value: (row) => row.strategy,
    cell: (row) => <>{title(row.strategy)} {row.simplest && <Badge title="What the others have to beat">simplest</Badge>}</>,
  },
  column("final_value_usd", "Final value", (row) => row.final_value_usd, (value) => (value === null ? "–" : `$${figure(value, 0)}`), { csv: "final_value (USD)" }),
  column("annual_return", "A year", (row) => row.annual_return, percent, { csv: "annual_return (fraction)", hint: "Return, compounded, a year" }),
  column("versus_hold", "Against hold", (row) => row.versus_hold, points, {
    csv: "versus_hold (fraction a year)", from: 460, hint: "More than holding, percentage points a year; coloured where the 90 % interval leaves zero out",
    cell: (row) => <span title={versusRange(row)}><Versus row={row} /></span>,
  }),
  column("max_drawdown", "Drawdown", (row) => row.max_drawdown, percent, { csv: "max_drawdown (fraction)", from: 560, hint: "Largest fall from the highest value so far" }),
  column("volatility", "Volatility", (row) => row.volatility, percent, { csv: "volatility (fraction a year)", from: 860, hint: "Of daily returns, a year" }),
  column("sharpe", "Sharpe", (row) => row.sharpe, significant, { from: 640, width: "minmax(72px, .8fr)", hint: "A year, against a rate of zero" }),
  column("sortino", "Sortino", (row) => row.sortino, significant, { from: 1100, width: "minmax(72px, .8fr)" }),
  column("costs_usd", "Costs", (row) => row.costs_usd, usd, { csv: "costs (USD)", from: 720, hint: "Paid already in every figure" }),
  column("transactions", "Moves", (row) => row.transactions, figure, { csv: "transactions", from: 780, width: "minmax(66px, .7fr)" }),
  column("turnover", "Turnover", (row) => row.turnover, (value) => significant(value, 2), { from: 960, csv: "turnover (times a year)", hint: "Money moved one way, multiple of the mean value a year" }),
  column("deflated_sharpe", "No luck", (row) => row.deflated_sharpe, (value) => percent(value, 0), {
    csv: "deflated_sharpe (probability)", from: 1040, hint: "Probability that it is better than holding, given all settings that were tried",
  }),
];

const FILE_ONLY: readonly (keyof StrategyFigures)[] = ["total_return", "versus_hold_low", "versus_hold_high", "fees_usd", "gas_usd", "swap_usd"];

/** All figures, for the file. */
export const FILE: readonly Column<StrategyFigures>[] = [
  ...FIGURES,
  ...FILE_ONLY.map((name) => ({ key: name, title: name, width: "", cell: () => null, value: (row: StrategyFigures) => row[name] })),
];
