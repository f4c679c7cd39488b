/** An answer of the API for a component: shown again at once when it was seen before, then renewed. */
import { useCallback, useEffect, useState } from "react";
import { type Query, address } from "./client.ts";
import { onKey } from "./key.ts";
import { onNews } from "./live.ts";
import { Problem } from "./problem.ts";
import { shared } from "./shared.ts";

export interface Answer<T> {
  /** The newest answer for this question; undefined before the first. */
  data: T | undefined;
  /** Why the last try failed; null once one succeeds. */
  problem: Problem | null;
  loading: boolean;
  reload: () => void;
}

interface Told<T> {
  url: string | null;
  data: T | undefined;
  problem: Problem | null;
  loading: boolean;
}

const MOST_KEPT = 200;
const kept = new Map<string, unknown>();
onKey(() => kept.clear());

function keep(url: string, data: unknown): void {
  kept.delete(url);
  kept.set(url, data);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value as string);
}

/** Which events make an answer old, by the first word of its path. */
const TOPICS: readonly (readonly [string, readonly string[]])[] = [
  ["/v1/backtests", ["backtest"]],
  ["/v1/alerts", ["alert"]],
  ["/v1/models", ["model"]],
  ["/v1/status", ["job", "data"]],
  ["/v1/key", []],
];
const DATA = ["data"];

function topicsOf(url: string | null): readonly string[] {
  return TOPICS.find(([start]) => url?.startsWith(start))?.[1] ?? DATA;
}

/** Ask GET `path` (null asks nothing), again when there is news, when a key is entered, and every `every_s`. */
export function useAnswer<T>(path: string | null, query: Query = {}, every_s = 0): Answer<T> {
  const url = path === null ? null : address(path, query);
  const [told, tell] = useState<Told<T>>(() => begun<T>(url));
  const [turn, setTurn] = useState(0);
  const topics = topicsOf(url);
  const reload = useCallback(() => setTurn((one) => one + 1), []);

  useEffect(() => {
    if (url === null) return;
    const stopping = new AbortController();
    tell((before) => (before.url === url ? { ...before, loading: true } : begun<T>(url)));
    shared<T>(url, stopping.signal, turn > 0).then(
      (data) => {
        keep(url, data);
        if (!stopping.signal.aborted) tell({ url, data, problem: null, loading: false });
      },
      (fault: unknown) => {
        if (stopping.signal.aborted) return;
        const problem = fault instanceof Problem ? fault : new Problem(0, { detail: String(fault) });
        tell((before) => ({ url, data: before.url === url ? before.data : undefined, problem, loading: false }));
      },
    );
    return () => stopping.abort();
  }, [url, turn]);

  useEffect(() => {
    const off = [onKey(reload), onNews(reload, topics)];
    const timer = every_s > 0 ? setInterval(reload, every_s * 1000) : undefined;
    return () => {
      for (const one of off) one();
      clearInterval(timer);
    };
  }, [reload, every_s, topics]);

  const shown = told.url === url ? told : begun<T>(url);
  return { data: shown.data, problem: shown.problem, loading: shown.loading, reload };
}

function begun<T>(url: string | null): Told<T> {
  const data = url === null ? undefined : (kept.get(url) as T | undefined);
  return { url, data, problem: null, loading: url !== null };
}
