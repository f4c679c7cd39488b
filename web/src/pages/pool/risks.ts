/** What speaks for caution about a pool, each with the figure that says so. */
import type { Forecast, HistoryRow, Pool } from "../../api/types.ts";
import { percent, share, usd } from "../../format.ts";
import { flagNames } from "../../parts/pool.tsx";
import { DAY_MS, FLAGS, dayOf } from "./data.ts";

export interface Risk {
  name: string;
  says: string;
  severe: boolean;
}

/** Above this share of deposits lent out, withdrawing may have to wait for repayments. */
const FULL = 0.95;
/** A fall of TVL within a week that is worth a word. */
const FALL = 0.25;
/** A share of rewards above which the yield hangs on a token's price. */
const REWARDS = 0.5;
const LIKELY = 0.25;
const STALE_DAYS = 2;

export function risksOf(pool: Pool, rows: readonly HistoryRow[], forecast: Forecast | undefined): Risk[] {
  const found: (Risk | false)[] = [
    pool.status === "paused" && { name: "Paused", says: "Neither deposits nor withdrawals are possible now.", severe: true },
    pool.status === "frozen" && { name: "Frozen", says: "No new deposits are taken.", severe: true },
    pool.listed === false && { name: "No longer listed", says: "Its source does not name it any more.", severe: true },
    (pool.utilisation ?? 0) > FULL && {
      name: "Lent out", severe: true, says: `${share(pool.utilisation, 1)} of deposits are lent: withdrawals may have to wait for repayments.`,
    },
    tvlFall(rows),
    (forecast?.p_drop20 ?? 0) > LIKELY && {
      name: "Likely to fall", severe: false, says: `A fall of the APY by more than a fifth has a probability of ${share(forecast?.p_drop20)}.`,
    },
    pool.apy > 0 && (pool.apy_reward ?? 0) / pool.apy > REWARDS && {
      name: "Paid in rewards", severe: false,
      says: `${percent(pool.apy_reward)} of ${percent(pool.apy)} is paid in reward tokens, whose price may fall.`,
    },
    Date.now() - Date.parse(pool.ts) > STALE_DAYS * DAY_MS && {
      name: "Old data", severe: false, says: "Nothing new is known for more than two days.",
    },
    ...flagNames(pool.flags).map((flag) => ({
      name: `Doubted: ${flag}`, severe: false, says: `The newest row is flagged: ${FLAGS[flag.replaceAll(" ", "_")] ?? flag}.`,
    })),
  ];
  return found.filter((one): one is Risk => one !== false).sort((one, other) => Number(other.severe) - Number(one.severe));
}

function tvlFall(rows: readonly HistoryRow[]): Risk | false {
  const last = rows.at(-1);
  if (!last?.tvl_usd) return false;
  const from = dayOf(last.ts) - 7 * DAY_MS;
  const week = rows.filter((row) => dayOf(row.ts) >= from).map((row) => row.tvl_usd ?? 0);
  const most = Math.max(...week);
  const fall = 1 - last.tvl_usd / most;
  return fall > FALL && { name: "TVL fell", severe: true, says: `${usd(most)} a week ago at most, ${usd(last.tvl_usd)} now: ${share(-fall)}.` };
}
