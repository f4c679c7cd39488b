/** All pools: found, filtered and sorted by the API; of twenty thousand those in sight are here. */
import { useMemo } from "react";
import type { PoolValues } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { PageProps } from "../../app/pages.ts";
import { poolHref, setQuery } from "../../app/router.tsx";
import { figure } from "../../format.ts";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Empty, ErrorState, Skeleton, Stale } from "../../parts/states.tsx";
import { useSettled } from "../../parts/useSettled.ts";
import { type Sort, Table } from "../../table/Table.tsx";
import { FilterBar } from "./FilterBar.tsx";
import { VALUES } from "./asks.ts";
import { COLUMNS, FILE, FILED, type FiledPool } from "./columns.tsx";
import { NAMES, USUAL, asQuestion, filtersOf, sortOf } from "./filters.ts";
import { allPools, useListing } from "./listing.ts";
import "./pools.css";

/** A word is asked for once the typing pauses. */
const PAUSE_MS = 200;

export default function Pools({ query }: PageProps) {
  const filters = useMemo(() => filtersOf(query), [query]);
  const sort = useMemo(() => sortOf(query), [query]);
  const words = useSettled(filters.q, PAUSE_MS);
  const question = useMemo(() => asQuestion({ ...filters, q: words }, sort), [filters, words, sort]);
  const { far, problem, waiting, reload } = useListing(question);
  const values = useAnswer<PoolValues>(VALUES);

  const order = (next: Sort) => {
    const usual = next.key === USUAL.key && next.descending;
    setQuery({ sort: usual ? "" : next.key, order: next.descending ? "" : "asc" });
  };
  return (
    <div className="page pools-page">
      <section className="panel panel-flush" aria-label="Pools">
        <FilterBar filters={filters} values={values.data} />
        <div className="pools-count">
          <p role="status">
            {far && <><b className="number">{figure(far.total)}</b> {far.total === 1 ? "pool" : "pools"}</>}
            {far && waiting && <span className="quiet"> · looking</span>}
          </p>
          {far && far.total > 0 && <SaveCsv name="Pools" columns={FILE} rows={() => allPools<FiledPool>(question, FILED)} />}
        </div>
        {far && problem && <Stale problem={problem} reload={reload} />}
        {!far && (problem ? <ErrorState problem={problem} retry={reload} /> : <Waiting />)}
        {far?.total === 0 && <NoPools filtered={NAMES.some((name) => filters[name])} />}
        {far && far.total > 0 && (
          <Table
            label="Pools" columns={COLUMNS} far={far} rowKey={(pool) => pool.pool_id} href={(pool) => poolHref(pool.pool_id)}
            sort={sort} onSort={order} height="var(--pools-height)"
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
