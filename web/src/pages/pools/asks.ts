/** What the list of pools asks: begun while its code is still loading. */
import { type Query, address } from "../../api/client.ts";
import { LISTED } from "../../api/types.ts";

export const PATH = "/v1/pools";
export const VALUES = "/v1/pools/values";
/** Rows of one question. */
export const CHUNK_ROWS = 100;

/** The address of so many rows from `first` on; usually of a chunk. */
export function rowsAddress(query: Query, first: number, rows = CHUNK_ROWS): string {
  return address(PATH, { ...query, fields: LISTED.join(","), limit: rows, skip: first || null });
}

export function chunkAddress(query: Query, chunk: number): string {
  return rowsAddress(query, chunk * CHUNK_ROWS);
}
