/** How a pool is named, and what speaks for caution, wherever pools are listed. */
import type { ListedPool, Pool } from "../api/types.ts";
import { percent, title } from "../format.ts";
import type { Column } from "../table/Table.tsx";
import { Badge } from "./Badge.tsx";

export function PoolName({ pool }: { pool: Pick<Pool, "symbol" | "protocol" | "chain" | "meta" | "pool_id"> & Partial<Pool> }) {
  return (
    <span className="grid-two">
      <span>
        {pool.symbol ?? pool.pool_id} {pool.meta && <span className="quiet">{pool.meta}</span>}{" "}
        {pool.status && pool.status !== "active" && <Badge tone="bad">{pool.status}</Badge>}{" "}
        {pool.flags && <Badge tone="warn" title={flagNames(pool.flags).join(", ")}>doubted</Badge>}
      </span>
      <span>{title(pool.protocol)} · {title(pool.chain)}</span>
    </span>
  );
}

export function flagNames(flags: string | null): string[] {
  return (flags ?? "").split(",").filter(Boolean).map((flag) => flag.replaceAll("_", " "));
}

/** Forecast less today's rate; null without a forecast. */
export function expectedMove(pool: Pick<Pool, "forecast" | "apy">): number | null {
  return pool.forecast === null ? null : pool.forecast - pool.apy;
}

/** What is quoted today and what is forecast: columns that every list of pools has. */
export const POOL: Column<ListedPool> = {
  key: "symbol", title: "Pool", width: "minmax(150px, 2.2fr)", cell: (pool) => <PoolName pool={pool} />, value: (pool) => pool.symbol,
};
export const APY: Column<ListedPool> = {
  key: "apy", title: "APY", width: "minmax(84px, 1fr)", align: "end", csv: "apy (fraction a year)", hint: "What a depositor is quoted now",
  cell: (pool) => percent(pool.apy), value: (pool) => pool.apy,
};
export const FORECAST: Column<ListedPool> = {
  key: "forecast", title: "Next 7 days", width: "minmax(96px, 1fr)", align: "end", csv: "forecast (fraction a year)",
  hint: "Forecast of the mean APY of the next 7 days", cell: (pool) => percent(pool.forecast), value: (pool) => pool.forecast,
};
export const LOW: Column<ListedPool> = {
  key: "forecast_low", title: "At least (95 %)", width: "minmax(112px, 1fr)", align: "end", csv: "forecast_low (fraction a year)",
  hint: "The mean APY of the next 7 days is above this with 95 % probability", cell: (pool) => percent(pool.forecast_low), value: (pool) => pool.forecast_low,
};
