/** Every pool, fetched page by page beside what is shown, and kept while the application is open. */
import { useSyncExternalStore } from "react";
import { ask, pause } from "../../api/client.ts";
import { onKey } from "../../api/key.ts";
import { onNews } from "../../api/live.ts";
import type { Pool, PoolPage } from "../../api/types.ts";

export interface Universe {
  pools: readonly Pool[];
  total: number;
  /** All of them are here. */
  whole: boolean;
}

const PAGE_ROWS = 2_500;
/** Let what was clicked meanwhile come first. */
const BREATH_MS = 30;
/** Younger than this, it is not fetched anew: what it weighs is worth more than a minute's difference. */
const FRESH_MS = 300_000;

const NOTHING: Universe = { pools: [], total: 0, whole: false };
const listeners = new Set<() => void>();
let now: Universe = NOTHING;
let fetchedAt = 0;
let fetching: AbortController | null = null;

function become(next: Universe): void {
  now = next;
  for (const listener of listeners) listener();
}

async function fetchAll(signal: AbortSignal): Promise<void> {
  const renewing = now.whole;
  const found: Pool[] = [];
  let cursor: string | null = null;
  do {
    const page: PoolPage = await ask<PoolPage>("/v1/pools", { query: { limit: PAGE_ROWS, cursor }, signal });
    found.push(...page.pools);
    cursor = page.next;
    // The old ones stay in sight until all new ones are here.
    if (!renewing) become({ pools: found.slice(), total: page.total, whole: cursor === null });
    await pause(BREATH_MS, signal);
  } while (cursor !== null);
  if (renewing) become({ pools: found, total: found.length, whole: true });
}

function renew(): void {
  if (listeners.size === 0 || fetching || (now.whole && Date.now() - fetchedAt < FRESH_MS)) return;
  const stopping = new AbortController();
  fetching = stopping;
  fetchAll(stopping.signal)
    .then(() => { fetchedAt = Date.now(); })
    // What is shown comes from its own question, which tells of trouble; the next reason to fetch tries again.
    .catch(() => undefined)
    .finally(() => {
      if (fetching === stopping) fetching = null;
    });
}

function stop(): void {
  fetching?.abort();
  fetching = null;
}

onNews(renew);
onKey(() => {
  stop();
  become(NOTHING);
  renew();
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  renew();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && !now.whole) stop();
  };
}

export function useUniverse(): Universe {
  return useSyncExternalStore(subscribe, () => now);
}
