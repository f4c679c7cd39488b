/** What the reader asks for: in the address, and for the API. */
import type { Query } from "../../api/client.ts";
import type { Sort } from "../../table/Table.tsx";

export interface Filters {
  q: string;
  chain: string;
  protocol: string;
  kind: string;
  /** "", "true" or "false". */
  stablecoin: string;
  /** USD, as text. */
  min_tvl: string;
  /** "yes": only pools with a forecast. */
  forecast: string;
}

export const NAMES = ["q", "chain", "protocol", "kind", "stablecoin", "min_tvl", "forecast"] as const;
export const USUAL: Sort = { key: "tvl_usd", descending: true };
/** Columns by which one can sort. */
const SORTED = new Set(["symbol", "apy", "forecast", "move", "forecast_low", "range", "tvl_usd", "volume_24h_usd", "utilisation", "ts"]);
/** What the API calls the figure that a column sorts by, where it is not the column's own name. */
const FIGURES: Record<string, string> = { move: "forecast_change", range: "forecast_high" };

export function filtersOf(query: URLSearchParams): Filters {
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])) as unknown as Filters;
}

export function sortOf(query: URLSearchParams): Sort {
  const key = query.get("sort");
  return key && SORTED.has(key) ? { key, descending: query.get("order") !== "asc" } : USUAL;
}

/** The same choice and order as the API's question. */
export function asQuestion(filters: Filters, sort: Sort): Query {
  return {
    q: filters.q.trim(),
    chain: filters.chain,
    protocol: filters.protocol,
    kind: filters.kind,
    stablecoin: filters.stablecoin,
    min_tvl_usd: filters.min_tvl,
    with_forecast: filters.forecast === "yes" ? "true" : "",
    sort: FIGURES[sort.key] ?? sort.key,
    order: sort.descending ? "desc" : "asc",
  };
}
