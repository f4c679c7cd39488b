/** Pools in the API's order: only those around what is in sight are asked for, and kept while the application is open. */
import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { type Query, address, ask } from "../../api/client.ts";
import { onKey } from "../../api/key.ts";
import { onNews } from "../../api/live.ts";
import { Problem } from "../../api/problem.ts";
import { shared } from "../../api/shared.ts";
import type { ListedPool, PoolPage } from "../../api/types.ts";
import type { Far } from "../../table/Table.tsx";
import { CHUNK_ROWS, PATH, chunkAddress, rowsAddress } from "./asks.ts";

/** So close to the end of what is here, what follows is asked for. */
const AHEAD_ROWS = 40;
/** While one scrolls, questions are this far apart; what has been passed by then is not asked for. */
const SPACE_MS = 80;
const MOST_KEPT = 8;
const FILE_ROWS = 2_500;

export interface Listing {
  /** Undefined before the first answer. */
  far: Far<ListedPool> | undefined;
  /** Why what is in sight could not be asked for. */
  problem: Problem | null;
  /** Another question's rows stay in sight until this one's come. */
  waiting: boolean;
  reload: () => void;
}

interface State {
  total: number | undefined;
  problem: Problem | null;
}

class List {
  state: State = { total: undefined, problem: null };
  readonly listeners = new Set<() => void>();
  private readonly chunks = new Map<number, readonly ListedPool[]>();
  private readonly flights = new Map<number, AbortController>();
  private sight: readonly [number, number] = [0, 1];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly query: Query) {}

  readonly at = (index: number): ListedPool | undefined => this.chunks.get(Math.floor(index / CHUNK_ROWS))?.[index % CHUNK_ROWS];

  readonly begin = (): number => this.sight[0];

  readonly show = (first: number, last: number): void => {
    this.sight = [first, last];
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.look();
    }, SPACE_MS);
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.look();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    };
  };

  readonly reload = (): void => this.look(true);

  /** Ask for what is in sight and not here; `anew` for all of it, and nothing else is kept. */
  look(anew = false): void {
    const wanted = this.wanted();
    for (const [chunk, flight] of this.flights) {
      if (!anew && wanted.includes(chunk)) continue;
      flight.abort();
      this.flights.delete(chunk);
    }
    if (anew) {
      for (const chunk of this.chunks.keys()) if (!wanted.includes(chunk)) this.chunks.delete(chunk);
    }
    for (const chunk of wanted) if ((anew || !this.chunks.has(chunk)) && !this.flights.has(chunk)) void this.fetch(chunk, anew);
  }

  /** What is here is old: it is asked for again when somebody looks, at the place that was in sight. */
  spoil(): void {
    this.chunks.clear();
  }

  forget(): void {
    this.stop();
    this.chunks.clear();
    this.become({ total: undefined, problem: null });
    if (this.listeners.size > 0) this.look();
  }

  private wanted(): number[] {
    const [first, last] = this.sight;
    const end = Math.min(Math.max(last - 1, first) + AHEAD_ROWS, (this.state.total ?? CHUNK_ROWS) - 1);
    const from = Math.floor(first / CHUNK_ROWS);
    return Array.from({ length: Math.max(Math.floor(end / CHUNK_ROWS), from) - from + 1 }, (_, at) => from + at);
  }

  private async fetch(chunk: number, fresh: boolean): Promise<void> {
    const flight = new AbortController();
    this.flights.set(chunk, flight);
    try {
      const { pools, total } = await wholeChunk(this.query, chunk, flight.signal, fresh);
      this.chunks.set(chunk, pools);
      this.become({ total, problem: null });
    } catch (fault) {
      if (!flight.signal.aborted) this.become({ ...this.state, problem: fault instanceof Problem ? fault : new Problem(0, { detail: String(fault) }) });
    } finally {
      if (this.flights.get(chunk) === flight) this.flights.delete(chunk);
    }
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const flight of this.flights.values()) flight.abort();
    this.flights.clear();
  }

  private become(state: State): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

/** A service whose pages are shorter than a chunk is asked again for the rest. */
async function wholeChunk(query: Query, chunk: number, signal: AbortSignal, fresh: boolean): Promise<{ pools: ListedPool[]; total: number }> {
  const page = await shared<PoolPage>(chunkAddress(query, chunk), signal, fresh);
  const pools: ListedPool[] = page.pools.slice();
  const first = chunk * CHUNK_ROWS;
  while (pools.length < Math.min(CHUNK_ROWS, page.total - first)) {
    const rest = await shared<PoolPage>(rowsAddress(query, first + pools.length, CHUNK_ROWS - pools.length), signal, fresh);
    if (rest.pools.length === 0) break;
    pools.push(...rest.pools);
  }
  return { pools, total: page.total };
}

const kept = new Map<string, List>();

function listOf(query: Query): List {
  const name = address(PATH, query);
  const found = kept.get(name) ?? new List(query);
  kept.delete(name);
  kept.set(name, found);
  for (const [other, list] of kept) {
    if (kept.size <= MOST_KEPT) break;
    if (list.listeners.size === 0 && list !== found) kept.delete(other);
  }
  return found;
}

onNews(() => {
  for (const list of kept.values()) {
    if (list.listeners.size > 0) list.look(true);
    else list.spoil();
  }
});
onKey(() => {
  for (const list of kept.values()) list.forget();
});

/** The pools that `query` asks for; the table tells which of them are in sight. */
export function useListing(query: Query): Listing {
  const name = address(PATH, query);
  // Questions that read the same are the same.
  const list = useMemo(() => listOf(query), [name]);
  const state = useSyncExternalStore(list.subscribe, () => list.state);
  const before = useRef<List>(undefined);
  const answered = state.total !== undefined;
  useEffect(() => {
    if (answered) before.current = list;
  }, [list, answered]);
  const shown = answered ? list : state.problem ? undefined : before.current;
  const total = shown?.state.total;
  const far = useMemo(
    () => (shown && total !== undefined ? { of: address(PATH, shown.query), total, at: shown.at, begin: shown.begin, show: shown === list ? shown.show : () => undefined } : undefined),
    [shown, total, list, state],
  );
  return { far, problem: state.problem, waiting: !answered && !state.problem, reload: list.reload };
}

/** Every pool that `query` asks for, with these fields: for a file. Throws Problem. */
export async function allPools<T>(query: Query, fields: readonly string[]): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | null = null;
  do {
    const page: PoolPage = await ask<PoolPage>(PATH, { query: { ...query, fields: fields.join(","), limit: FILE_ROWS, cursor } });
    found.push(...(page.pools as T[]));
    cursor = page.next;
  } while (cursor !== null);
  return found;
}
