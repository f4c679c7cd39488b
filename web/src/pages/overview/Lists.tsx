/** Which pools to look at first: the best of what is nearly sure, and where today's rate will not last. */
import type { Pool, PoolPage } from "../../api/types.ts";
import type { Answer } from "../../api/useAnswer.ts";
import { Link, poolHref } from "../../app/router.tsx";
import { points, usd } from "../../format.ts";
import { Panel } from "../../parts/Panel.tsx";
import { Answered, Empty, Skeleton } from "../../parts/states.tsx";
import { APY, FORECAST, LOW, POOL, expectedMove } from "../../parts/pool.tsx";
import { type Column, Table } from "../../table/Table.tsx";

const TVL: Column<Pool> = {
  key: "tvl_usd", title: "TVL", width: "minmax(76px, .8fr)", align: "end", from: 520, cell: (pool) => usd(pool.tvl_usd), value: (pool) => pool.tvl_usd,
};
const MOVE: Column<Pool> = {
  key: "move", title: "Change", width: "minmax(88px, 1fr)", align: "end", value: expectedMove, hint: "Forecast of the mean of the next 7 days less today's APY",
  cell: (pool) => <span className={(expectedMove(pool) ?? 0) > 0 ? "good" : "bad"}>{points(expectedMove(pool))}</span>,
};
/** Rows of either list. */
const SHOWN = 8;

/** Pools that can be entered and whose newest row no rule doubts. */
export function sound(pools: readonly Pool[]): Pool[] {
  return pools.filter((pool) => pool.forecast_low !== null && !pool.flags && (pool.status === null || pool.status === "active") && pool.listed !== false);
}

/** Why the lists are empty. */
function NoRows({ pools }: { pools: readonly Pool[] }) {
  if (pools.length === 0) {
    return <Empty title="No pool is so large"><p>These lists are of pools with a TVL of $1M or more; <Link href="/pools">all pools</Link> has the others.</p></Empty>;
  }
  if (pools.some((pool) => pool.forecast_low !== null)) {
    return <Empty title="None that is sound"><p>Every pool with a forecast and a TVL of $1M or more is frozen, paused, no longer listed, or doubted by a quality rule.</p></Empty>;
  }
  return (
    <Empty title="No forecasts yet">
      <p>The worker makes them once a day, after an hour of collecting; <code>defimon run</code> makes them at once.</p>
    </Empty>
  );
}

export function BestLow({ answer }: { answer: Answer<PoolPage> }) {
  return (
    <Panel
      title="Best of what is nearly sure" about="By the rate that the mean of the next 7 days exceeds with 95 %: TVL of $1M or more, not frozen, not doubted" flush
      actions={<Link className="button" href="/pools?sort=forecast_low&min_tvl=1000000&forecast=yes">All</Link>}
    >
      <Answered of={answer} waiting={<Waiting />}>
        {(page) => {
          const rows = sound(page.pools).slice(0, SHOWN);
          return rows.length === 0 ? <NoRows pools={page.pools} /> : (
            <Table label="Best of what is nearly sure" columns={[POOL, APY, { ...FORECAST, from: 480 }, { ...LOW, title: "At least", width: "minmax(82px, 1fr)" }, TVL].map(fixed)} rows={rows} rowKey={(pool) => pool.pool_id} href={(pool) => poolHref(pool.pool_id)} />
          );
        }}
      </Answered>
    </Panel>
  );
}

export function Movers({ answer }: { answer: Answer<PoolPage> }) {
  return (
    <Panel title="Rates that will not last" about="Where the forecast is furthest from today's rate, among the same pools" flush>
      <Answered of={answer} waiting={<Waiting />}>
        {(page) => {
          const size = (pool: Pool) => Math.abs(expectedMove(pool) ?? 0);
          const rows = sound(page.pools).sort((one, other) => size(other) - size(one)).slice(0, SHOWN);
          return rows.length === 0 ? <NoRows pools={page.pools} /> : (
            <Table label="Rates that will not last" columns={[POOL, { ...APY, from: 420 }, FORECAST, MOVE].map(fixed)} rows={rows} rowKey={(pool) => pool.pool_id} href={(pool) => poolHref(pool.pool_id)} />
          );
        }}
      </Answered>
    </Panel>
  );
}

function fixed(column: Column<Pool>): Column<Pool> {
  return { ...column, fixed: true };
}

function Waiting() {
  return <div className="list-waiting"><Skeleton lines={9} /></div>;
}
