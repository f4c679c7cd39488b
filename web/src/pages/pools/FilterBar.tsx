import { useMemo } from "react";
import type { Pool } from "../../api/types.ts";
import { setQuery } from "../../app/router.tsx";
import { figure, title } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { type Filters, NAMES, counted } from "./filters.ts";

const STABLE = [["", "All"], ["true", "Stablecoins"], ["false", "Others"]] as const;
const LEAST = [["", "Any TVL"], ["100000", "TVL ≥ $100K"], ["1000000", "TVL ≥ $1M"], ["10000000", "TVL ≥ $10M"], ["100000000", "TVL ≥ $100M"]] as const;

interface Props {
  filters: Filters;
  /** Pools that are known so far, for the choices. */
  pools: readonly Pool[];
}

export function FilterBar({ filters, pools }: Props) {
  const any = NAMES.some((name) => filters[name]);
  return (
    <div className="filters" role="group" aria-label="Filters">
      <div className="filter-search">
        <Icon name="search" size={17} />
        <input
          type="text" className="input" aria-label="Words in symbol, protocol, chain, id or address" placeholder="Symbol, protocol, chain, address"
          value={filters.q} spellCheck={false} autoComplete="off" onChange={(event) => setQuery({ q: event.target.value })}
        />
      </div>
      <Select name="chain" label="Chain" all="All chains" filters={filters} pools={pools} of={(pool) => pool.chain} />
      <Select name="protocol" label="Protocol" all="All protocols" filters={filters} pools={pools} of={(pool) => pool.protocol} />
      <Select name="kind" label="Kind" all="All kinds" filters={filters} pools={pools} of={(pool) => pool.kind} />
      <select className="select" aria-label="Least TVL" value={filters.min_tvl} onChange={(event) => setQuery({ min_tvl: event.target.value })}>
        {!LEAST.some(([value]) => value === filters.min_tvl) && <option value={filters.min_tvl}>TVL ≥ ${figure(Number(filters.min_tvl))}</option>}
        {LEAST.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
      <Choice label="Stablecoins" value={filters.stablecoin} options={STABLE} onChange={(stablecoin) => setQuery({ stablecoin })} />
      <label className="check">
        <input type="checkbox" checked={filters.forecast === "yes"} onChange={(event) => setQuery({ forecast: event.target.checked ? "yes" : "" })} />
        With a forecast
      </label>
      {any && (
        <button type="button" className="button" onClick={() => setQuery(Object.fromEntries(NAMES.map((name) => [name, ""])))}>
          <Icon name="close" size={15} />Clear
        </button>
      )}
    </div>
  );
}

interface SelectProps extends Props {
  name: "chain" | "protocol" | "kind";
  label: string;
  all: string;
  of: (pool: Pool) => string | null;
}

function Select({ name, label, all, filters, pools, of }: SelectProps) {
  // `of` is made anew at each draw and never means another column.
  const options = useMemo(() => counted(pools, of), [pools]);
  const value = filters[name];
  return (
    <select className="select" aria-label={label} value={value} onChange={(event) => setQuery({ [name]: event.target.value })}>
      <option value="">{all}</option>
      {value && !options.some(([one]) => one === value) && <option value={value}>{title(value)}</option>}
      {options.map(([one, count]) => <option key={one} value={one}>{title(one)} ({figure(count)})</option>)}
    </select>
  );
}
