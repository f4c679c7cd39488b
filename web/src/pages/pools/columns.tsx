import { LISTED, type ListedPool, type Pool } from "../../api/types.ts";
import { percent, points, share, usd } from "../../format.ts";
import { Time } from "../../parts/Time.tsx";
import { APY, FORECAST, LOW, POOL, expectedMove } from "../../parts/pool.tsx";
import type { Column } from "../../table/Table.tsx";

function Move({ pool }: { pool: ListedPool }) {
  const move = expectedMove(pool);
  return <span className={move === null || Math.abs(move) < 5e-5 ? "quiet" : move > 0 ? "good" : "bad"}>{points(move)}</span>;
}

function Range({ pool }: { pool: ListedPool }) {
  if (pool.forecast_low === null || pool.forecast_high === null) return <span className="quiet">–</span>;
  return <span className="quiet">{percent(pool.forecast_low)} to {percent(pool.forecast_high)}</span>;
}

const HIGH: Column<ListedPool> = {
  key: "range", title: "90 % interval", width: "minmax(150px, 1.3fr)", align: "end", from: 1080, csv: "forecast_high (fraction a year)",
  hint: "Holds the mean APY of the next 7 days with 90 % probability; sorted by its high end",
  cell: (pool) => <Range pool={pool} />, value: (pool) => pool.forecast_high,
};

export const COLUMNS: readonly Column<ListedPool>[] = [
  POOL,
  APY,
  { ...FORECAST },
  {
    key: "move", title: "Change", width: "minmax(92px, .9fr)", align: "end", from: 640, csv: "forecast less apy (fraction a year)",
    hint: "Forecast less today's APY, percentage points", cell: (pool) => <Move pool={pool} />, value: expectedMove,
  },
  { ...LOW, from: 820 },
  HIGH,
  {
    key: "tvl_usd", title: "TVL", width: "minmax(84px, .9fr)", align: "end", from: 480, csv: "tvl_usd", hint: "Total value locked, USD",
    cell: (pool) => usd(pool.tvl_usd), value: (pool) => pool.tvl_usd,
  },
  {
    key: "volume_24h_usd", title: "Volume 24 h", width: "minmax(96px, .9fr)", align: "end", from: 1240, csv: "volume_24h_usd",
    cell: (pool) => usd(pool.volume_24h_usd), value: (pool) => pool.volume_24h_usd,
  },
  {
    key: "utilisation", title: "Utilisation", width: "minmax(92px, .8fr)", align: "end", from: 1160, csv: "utilisation (fraction)",
    hint: "Borrowed share of deposits", cell: (pool) => share(pool.utilisation), value: (pool) => pool.utilisation,
  },
  {
    key: "ts", title: "As of", width: "minmax(96px, .8fr)", align: "end", from: 940, csv: "ts (UTC)",
    cell: (pool) => <span className="quiet"><Time at={pool.ts} as="ago" /></span>, value: (pool) => pool.ts,
  },
];

/** What a CSV has beside the columns that are shown. */
const BESIDE = ["pool_id", "protocol", "chain", "kind", "stablecoin", "apy_base", "apy_reward", "forecast_model", "flags", "origin", "source"] as const satisfies readonly (keyof Pool)[];
export type FiledPool = ListedPool & Pick<Pool, (typeof BESIDE)[number]>;
export const FILED: readonly string[] = [...new Set([...LISTED, ...BESIDE])];
export const FILE: readonly Column<FiledPool>[] = [
  ...BESIDE.map((key) => ({ key, title: key, width: "", cell: () => null, value: (pool: FiledPool) => pool[key] })),
  ...COLUMNS,
];
