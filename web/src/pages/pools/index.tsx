/** All pools: found, filtered and sorted, twenty thousand of them at once. */
import { useDeferredValue, useEffect, useMemo, useRef } from "react";
import type { Pool, PoolPage } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { PageProps } from "../../app/pages.ts";
import { poolHref, setQuery } from "../../app/router.tsx";
import { figure } from "../../format.ts";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Empty, ErrorState, Skeleton } from "../../parts/states.tsx";
import { type Sort, Table } from "../../table/Table.tsx";
import { FilterBar } from "./FilterBar.tsx";
import { COLUMNS, FILE } from "./columns.tsx";
import { NAMES, USUAL, asQuestion, chosen, filtersOf, sortOf } from "./filters.ts";
import { useUniverse } from "./universe.ts";
import "./pools.css";

/** Rows that are asked for with the filters, until all pools are here. */
const FIRST_ROWS = 100;

export default function Pools({ query }: PageProps) {
  const filters = useMemo(() => filtersOf(query), [query]);
  const sort = useMemo(() => sortOf(query), [query]);
  const universe = useUniverse();
  const wanted = useDeferredValue(filters);
  const first = useAnswer<PoolPage>(universe.whole ? null : "/v1/pools", asQuestion(wanted, sort, FIRST_ROWS));

  const own = useMemo(() => (universe.whole ? chosen(universe.pools, wanted) : null), [universe, wanted]);
  const early = first.data && (wanted.forecast ? first.data.pools.filter((pool) => pool.forecast !== null) : first.data.pools);
  const before = useRef<readonly Pool[]>(undefined);
  // While one types, the rows of a moment ago stay in sight.
  const rows = own ?? early ?? (first.problem ? undefined : before.current);
  useEffect(() => {
    before.current = rows;
  }, [rows]);
  const total = own?.length ?? first.data?.total ?? rows?.length ?? 0;
  const known = universe.pools.length > 0 ? universe.pools : (early ?? []);

  const order = (next: Sort) => {
    const usual = next.key === USUAL.key && next.descending;
    setQuery({ sort: usual ? "" : next.key, order: next.descending ? "" : "asc" });
  };
  return (
    <div className="page pools-page">
      <section className="panel panel-flush" aria-label="Pools">
        <FilterBar filters={filters} pools={known} />
        <div className="pools-count">
          <p role="status">
            <b className="number">{figure(total)}</b> {total === 1 ? "pool" : "pools"}
            {!universe.whole && universe.total > 0 && (
              <span className="quiet"> · {figure(universe.pools.length)} of {figure(universe.total)} loaded</span>
            )}
          </p>
          {rows && <SaveCsv name="Pools" columns={FILE} rows={rows} />}
        </div>
        {!rows && (first.problem ? <ErrorState problem={first.problem} retry={first.reload} /> : <Waiting />)}
        {rows && rows.length === 0 && <NoPools filtered={NAMES.some((name) => filters[name])} />}
        {rows && rows.length > 0 && (
          <Table
            label="Pools" columns={COLUMNS} rows={rows} rowKey={(pool) => pool.pool_id} href={(pool) => poolHref(pool.pool_id)}
            sort={sort} onSort={order} height="var(--pools-height)" total={total}
          />
        )}
      </section>
    </div>
  );
}

function Waiting() {
  return <div className="pools-waiting"><Skeleton lines={12} /></div>;
}

function NoPools({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty
        title="No pool fits these filters"
        action={<button type="button" className="button" onClick={() => setQuery(Object.fromEntries(NAMES.map((name) => [name, ""])))}>Clear the filters</button>}
      >
        <p>Take a word or a filter away: words must all be found in one pool.</p>
      </Empty>
    );
  }
  return (
    <Empty title="No pools yet">
      <p>The worker collects them: <code>defimon serve</code> runs one, or <code>defimon collect --once</code> brings the first.</p>
      <p>Without a network, <code>defimon import FILE</code> takes recorded data.</p>
    </Empty>
  );
}
