/** Curves of results as lines of charts. */
import type { Point } from "../../chart/LineChart.tsx";
import type { BacktestResult, StrategyFigures } from "../../api/work.ts";

/** More lines than this nobody tells apart. */
export const MOST_LINES = 6;

export function pointsOf(result: BacktestResult, strategy: string, of: "value_usd" | "drawdown"): Point[] {
  const curve = result.curves.strategies.find((one) => one.strategy === strategy);
  return result.curves.days.map((day, at) => [Date.parse(`${day}T00:00:00Z`), curve?.[of][at] ?? null] as const);
}

/** Value by what was put in: comparable where the capital differs. 0.02 is 2 % more. */
export function growthOf(result: BacktestResult, strategy: string): Point[] {
  return pointsOf(result, strategy, "value_usd").map(([day, value]) => [day, value === null ? null : value / result.capital_usd - 1] as const);
}

/** The best by final value, and the simplest rule beside them. */
export function leading(rows: readonly StrategyFigures[], most: number): string[] {
  const ranked = [...rows].sort((one, other) => other.final_value_usd - one.final_value_usd);
  const chosen = ranked.slice(0, most);
  const simplest = ranked.find((row) => row.simplest);
  if (simplest && !chosen.includes(simplest)) chosen.splice(-1, 1, simplest);
  return chosen.map((row) => row.strategy);
}

export function best(rows: readonly StrategyFigures[]): StrategyFigures | undefined {
  return [...rows].sort((one, other) => other.final_value_usd - one.final_value_usd)[0];
}
