/** How sure the forecasts were against how right they were, and how they did week by week. */
import { useMemo } from "react";
import type { Group, Scorecard } from "../../api/types.ts";
import { LineChart } from "../../chart/LineChart.tsx";
import { percent, share } from "../../format.ts";

export function Calibration({ card, height = 290 }: { card: Scorecard; height?: number }) {
  const held = card.overall.calibration;
  const lines = useMemo(
    () => [
      { name: "What came", points: held.map((one) => [one.nominal, one.realised] as const), hue: "series-1" as const },
      { name: "What was promised", points: [[0, 0], [1, 1]] as const, hue: "series-quiet" as const, dashed: true },
    ],
    [held],
  );
  if (held.length === 0) return null;
  const about = "Of the truths, the share that lay at or below each forecast quantile: on the dashed line, chances are what they say";
  return (
    <LineChart
      title="Calibration" about={about} x="value" xName="Quantile that was forecast" formatX={(value) => share(value)} format={share}
      summary={held.map((one) => `${share(one.nominal)} promised, ${share(one.realised, 1)} came`).join("; ")} lines={lines} scale={false} top={1} height={height}
    />
  );
}

/** Oldest first, as moments of their Mondays. */
export function weekly(groups: readonly Group[]): { at: number; group: Group }[] {
  return groups.map((group) => ({ at: Date.parse(`${group.name}T00:00:00Z`), group })).sort((one, other) => one.at - other.at);
}

export function Weeks({ card, height = 290 }: { card: Pick<Scorecard, "by_week">; height?: number }) {
  const lines = useMemo(() => {
    const weeks = weekly(card.by_week).filter(({ group }) => group.figures.mae !== null);
    return [
      { name: "Forecasts", points: weeks.map(({ at, group }) => [at, group.figures.mae] as const), hue: "series-1" as const },
      { name: "Today's rate carried forward", points: weeks.map(({ at, group }) => [at, group.figures.yardstick_mae] as const), hue: "series-quiet" as const, dashed: true },
      { name: "In the 90 % interval", points: weeks.map(({ at, group }) => [at, group.figures.coverage] as const), hue: "series-2" as const, right: true },
    ];
  }, [card.by_week]);
  if ((lines[0]?.points.length ?? 0) === 0) return null;
  return (
    <LineChart
      title="Error, week by week" about="Mean absolute error of the forecasts made in each week, beside the yardstick's; lower is better"
      summary={`${lines[0]?.points.length} weeks.`} lines={lines} format={percent} formatRight={share} scale={false} topRight={1} height={height}
    />
  );
}
