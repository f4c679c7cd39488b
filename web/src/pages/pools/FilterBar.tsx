import type { PoolValues, ValueCount } from "../../api/types.ts";
import { setQuery } from "../../app/router.tsx";
import { figure, title } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { type Filters, NAMES } from "./filters.ts";

const STABLE = [["", "All"], ["true", "Stablecoins"], ["false", "Others"]] as const;
const LEAST = [["", "Any TVL"], ["100000", "TVL ≥ $100K"], ["1000000", "TVL ≥ $1M"], ["10000000", "TVL ≥ $10M"], ["100000000", "TVL ≥ $100M"]] as const;

interface Props {
  filters: Filters;
  /** What can be chosen; undefined until it is known. */
  values: PoolValues | undefined;
}

export function FilterBar({ filters, values }: Props) {
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
      <Select name="chain" label="Chain" all="All chains" filters={filters} options={values?.chain ?? []} />
      <Select name="protocol" label="Protocol" all="All protocols" filters={filters} options={values?.protocol ?? []} />
      <Select name="kind" label="Kind" all="All kinds" filters={filters} options={values?.kind ?? []} />
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

interface SelectProps {
  name: "chain" | "protocol" | "kind";
  label: string;
  all: string;
  filters: Filters;
  options: readonly ValueCount[];
}

function Select({ name, label, all, filters, options }: SelectProps) {
  const value = filters[name];
  return (
    <select className="select" aria-label={label} value={value} onChange={(event) => setQuery({ [name]: event.target.value })}>
      <option value="">{all}</option>
      {value && !options.some((one) => one.value === value) && <option value={value}>{title(value)}</option>}
      {options.map((one) => <option key={one.value} value={one.value}>{title(one.value)} ({figure(one.pools)})</option>)}
    </select>
  );
}
