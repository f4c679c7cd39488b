/** A pool's history, and what it says about the soundness of its data. */
import type { HistoryRow } from "../../api/types.ts";

export const DAY_MS = 86_400_000;
const WEEK = 7;
const YEAR_DAYS = 365;

export const RANGES = [["30", "30 d"], ["90", "90 d"], ["365", "1 y"], ["", "All"]] as const;
export type Range = (typeof RANGES)[number][0];

/** Start of the row's UTC day, in milliseconds. */
export function dayOf(moment: string): number {
  return Math.floor(Date.parse(moment) / DAY_MS) * DAY_MS;
}

export function within(rows: readonly HistoryRow[], range: Range): readonly HistoryRow[] {
  const last = rows.at(-1);
  if (!range || !last) return rows;
  const from = dayOf(last.ts) - Number(range) * DAY_MS;
  return rows.filter((row) => dayOf(row.ts) > from);
}

/** Points of a column by UTC day; days without a row are gaps. */
export function daily(rows: readonly HistoryRow[], of: (row: HistoryRow) => number | null): [number, number | null][] {
  const points: [number, number | null][] = [];
  let before: number | null = null;
  for (const row of rows) {
    const day = dayOf(row.ts);
    if (before !== null && day - before > DAY_MS) points.push([before + DAY_MS, null]);
    points.push([day, of(row)]);
    before = day;
  }
  return points;
}

/** Yield of the seven days before each day that a depositor really had, from the growth of the index, beside the
 * mean of what was quoted in them; fractions a year, compounded. Only where the index is known on both ends. */
export function realised(rows: readonly HistoryRow[]): { day: number; earned: number; quoted: number }[] {
  const byDay = new Map(rows.map((row) => [dayOf(row.ts), row]));
  const found = [];
  for (const [day, row] of byDay) {
    const start = byDay.get(day - WEEK * DAY_MS);
    if (!row.index || !start?.index || row.index < start.index) continue;
    const days = (Date.parse(row.ts) - Date.parse(start.ts)) / DAY_MS;
    const quotes = [];
    for (let back = 1; back <= WEEK; back++) {
      const one = byDay.get(day - back * DAY_MS);
      if (one) quotes.push(one.apy);
    }
    if (quotes.length < WEEK - 1) continue;
    const quoted = quotes.reduce((sum, one) => sum + one, 0) / quotes.length;
    found.push({ day, earned: (row.index / start.index) ** (YEAR_DAYS / days) - 1, quoted });
  }
  return found;
}

export interface Health {
  first: string;
  last: string;
  /** Days since the first with a row, and all of them. */
  observed: number;
  days: number;
  /** The longest stretch without a row, in days. */
  longestGap: number;
  flagged: number;
  byFlag: [string, number][];
  sources: string[];
}

export function healthOf(rows: readonly HistoryRow[]): Health | null {
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last) return null;
  const days = [...new Set(rows.map((row) => dayOf(row.ts)))];
  const steps = days.slice(1).map((day, at) => (day - (days[at] ?? day)) / DAY_MS - 1);
  const counts = new Map<string, number>();
  for (const row of rows) for (const flag of (row.flags ?? "").split(",").filter(Boolean)) counts.set(flag, (counts.get(flag) ?? 0) + 1);
  return {
    first: first.ts,
    last: last.ts,
    observed: days.length,
    days: Math.round((dayOf(last.ts) - dayOf(first.ts)) / DAY_MS) + 1,
    longestGap: Math.max(0, ...steps),
    flagged: rows.filter((row) => row.flags).length,
    byFlag: [...counts].sort(([, one], [, other]) => other - one),
    sources: [...new Set(rows.map((row) => row.source))],
  };
}

/** What a quality rule's flag means to somebody who holds the pool. */
export const FLAGS: Record<string, string> = {
  falling_index: "the index fell, which a sound market's never does",
  frozen_or_paused: "deposits were frozen or paused",
  jump: "the rate moved more than fivefold from one day to the next",
  stale_repetition: "the source repeated the same figures for days",
  percent_not_fraction: "the rate may have been given in percent",
  late_arrival: "the row became known late",
  missing_days: "days before it are missing",
  symbol_change: "the token's symbol changed",
  duplicate_day: "the day was told more than once",
  out_of_range: "a figure lay outside its range",
};
