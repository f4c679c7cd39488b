/** What the pool paid, and what is expected of the next days with the interval that holds it in nine of ten cases. */
import { useMemo, useState } from "react";
import type { Forecast, HistoryRow } from "../../api/types.ts";
import { type Band, type Line, LineChart } from "../../chart/LineChart.tsx";
import { percent } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { DAY_MS, RANGES, type Range, daily, dayOf, within } from "./data.ts";

interface Props {
  rows: readonly HistoryRow[];
  forecast: Forecast | undefined;
}

export function ForecastChart({ rows, forecast }: Props) {
  const [range, setRange] = useState<Range>("90");
  const shown = useMemo(() => within(rows, range), [rows, range]);
  const lines = useMemo(() => {
    const found: Line[] = [{ name: "APY", points: daily(shown, (row) => row.apy), hue: "series-1" }];
    if (shown.some((row) => (row.apy_reward ?? 0) > 0)) {
      found.push({ name: "APY without rewards", points: daily(shown, (row) => row.apy_base), hue: "series-quiet" });
    }
    if (forecast?.yhat != null) found.push({ name: "Forecast of the mean", points: ahead(forecast, forecast.yhat), hue: "series-3", dashed: true });
    return found;
  }, [shown, forecast]);
  const bands = useMemo<Band[]>(() => {
    if (forecast?.q05 == null || forecast.q95 == null) return [];
    const { q05, q95 } = forecast;
    return [{ name: "90 % interval", hue: "series-3", points: ahead(forecast, 0).map(([day]) => [day, q05, q95] as const) }];
  }, [forecast]);
  const last = rows.at(-1);
  const said = forecast ? `; ${percent(forecast.yhat)} is forecast for the next ${forecast.horizon} days` : "";
  return (
    <LineChart
      title="APY and forecast" about={forecast ? `Last rate of each UTC day, and the mean of the next ${forecast.horizon} days` : "Last rate of each UTC day"}
      summary={`${percent(last?.apy)} now${said}.`} lines={lines} bands={bands} format={percent} height={340}
      actions={<Choice label="Range" value={range} options={RANGES} onChange={setRange} />}
    />
  );
}

/** The forecast is of a mean: the same on each of its days. */
function ahead(forecast: Forecast, value: number): [number, number][] {
  const start = dayOf(forecast.ts);
  return Array.from({ length: forecast.horizon + 1 }, (_, day) => [start + day * DAY_MS, value]);
}
