/** A moment in the reader's zone; UTC stands in the hint. */
import { useSyncExternalStore } from "react";
import { NONE, ago, localTime, utcDay, utcTime } from "../format.ts";

interface Props {
  at: string | null | undefined;
  /** `ago` counts from now, `day` is a UTC day of a daily table, `time` the moment. */
  as?: "time" | "ago" | "day";
}

const TICK_MS = 30_000;
const listeners = new Set<() => void>();
let now = Date.now();

/** One clock for all moments that are shown. */
setInterval(() => {
  if (document.hidden) return;
  now = Date.now();
  for (const listener of listeners) listener();
}, TICK_MS);

function tick(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Time({ at, as = "time" }: Props) {
  if (!at) return <>{NONE}</>;
  if (as === "ago") return <Ago at={at} />;
  return <time dateTime={at} title={utcTime(at)}>{as === "day" ? utcDay(at) : localTime(at)}</time>;
}

function Ago({ at }: { at: string }) {
  const moment = useSyncExternalStore(tick, () => now);
  // The clock stands still between ticks; what came meanwhile is not from the future.
  return <time dateTime={at} title={`${localTime(at)} · ${utcTime(at)}`}>{ago(at, Math.max(moment, Math.min(Date.parse(at), Date.now())))}</time>;
}
