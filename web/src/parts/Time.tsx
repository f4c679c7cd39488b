/** A moment in the reader's zone; UTC stands in the hint. */
import { useEffect, useState } from "react";
import { NONE, ago, localTime, utcDay, utcTime } from "../format.ts";

interface Props {
  at: string | null | undefined;
  /** `ago` counts from now, `day` is a UTC day of a daily table, `time` the moment. */
  as?: "time" | "ago" | "day";
}

const TICK_MS = 30_000;

export function Time({ at, as = "time" }: Props) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (as !== "ago") return;
    const timer = setInterval(() => tick((one) => one + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [as]);
  if (!at) return <>{NONE}</>;
  const shown = as === "ago" ? ago(at) : as === "day" ? utcDay(at) : localTime(at);
  return (
    <time dateTime={at} title={as === "ago" ? `${localTime(at)} · ${utcTime(at)}` : utcTime(at)}>
      {shown}
    </time>
  );
}
