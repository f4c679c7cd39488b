/** What the reader asks for: in the address, for the API, and for the pools at hand. */
import type { Query } from "../../api/client.ts";
import type { Pool } from "../../api/types.ts";
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
/** Columns by which the API sorts; by others once all pools are here. */
const ASKED = new Set(["tvl_usd", "apy", "forecast", "forecast_low", "volume_24h_usd"]);

export function filtersOf(query: URLSearchParams): Filters {
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])) as unknown as Filters;
}

export function sortOf(query: URLSearchParams): Sort {
  const key = query.get("sort");
  return key ? { key, descending: query.get("order") !== "asc" } : USUAL;
}

export function asQuestion(filters: Filters, sort: Sort, limit: number): Query {
  return {
    q: filters.q.trim(),
    chain: filters.chain,
    protocol: filters.protocol,
    kind: filters.kind,
    stablecoin: filters.stablecoin,
    min_tvl_usd: filters.min_tvl,
    sort: ASKED.has(sort.key) ? sort.key : USUAL.key,
    order: ASKED.has(sort.key) && !sort.descending ? "asc" : "desc",
    limit,
  };
}

/** The same choice as the API's, of pools at hand. */
export function chosen(pools: readonly Pool[], filters: Filters): readonly Pool[] {
  const words = filters.q.toLowerCase().split(/\s+/).filter(Boolean);
  const least = filters.min_tvl ? Number(filters.min_tvl) : null;
  const stable = filters.stablecoin ? filters.stablecoin === "true" : null;
  return pools.filter(
    (pool) =>
      (!filters.chain || pool.chain?.toLowerCase() === filters.chain.toLowerCase()) &&
      (!filters.protocol || pool.protocol?.toLowerCase() === filters.protocol.toLowerCase()) &&
      (!filters.kind || pool.kind === filters.kind) &&
      (stable === null || pool.stablecoin === stable) &&
      (least === null || (pool.tvl_usd !== null && pool.tvl_usd >= least)) &&
      (!filters.forecast || pool.forecast !== null) &&
      words.every((word) => says(pool, word)),
  );
}

function says(pool: Pool, word: string): boolean {
  const texts = [pool.pool_id, pool.protocol, pool.chain, pool.symbol, pool.meta, pool.address];
  return texts.some((text) => text?.toLowerCase().includes(word));
}

/** Values of an attribute with how many pools have it, most first. */
export function counted(pools: readonly Pool[], of: (pool: Pool) => string | null): [string, number][] {
  const counts = new Map<string, number>();
  for (const pool of pools) {
    const value = of(pool);
    if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort(([one, many], [other, more]) => more - many || one.localeCompare(other));
}
