/** Questions to the API: JSON in and out, with the reader's key; the browser's cache handles ETags. */
import { noteAnswer, noteAway } from "./contact.ts";
import { currentKey } from "./key.ts";
import { Problem, problemOf, unreachable } from "./problem.ts";

/** The address that tells of the key in use. */
export const OWN_KEY = "/v1/key";
const TRIES = 4;
const LONGEST_WAIT_S = 8;

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

export interface Asked {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** Ask the API even where the browser's copy would still count: there is news. */
  fresh?: boolean;
}

/** A path with its query; what is null, undefined or empty is left out, lists are repeated. */
export function address(path: string, query: Query = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) words.append(name, String(one));
  }
  const text = words.toString();
  return text ? `${path}?${text}` : path;
}

/** The answer. Throws Problem; a question that only reads is asked again while the trouble may pass. */
export async function ask<T>(path: string, { method = "GET", query, body, signal, fresh = false }: Asked = {}): Promise<T> {
  const tries = method === "GET" ? TRIES : 1;
  for (let turn = 1; ; turn++) {
    try {
      return await once<T>(address(path, query), method, body, signal, fresh);
    } catch (fault) {
      if (!(fault instanceof Problem) || fault.again === null || turn >= tries) throw fault;
      const wait_s = fault.again * 2 ** (turn - 1);
      // Whoever has to wait longer is told so, rather than left before an empty page.
      if (wait_s > LONGEST_WAIT_S) throw fault;
      await pause(wait_s * 1000, signal);
    }
  }
}

async function once<T>(url: string, method: string, body: unknown, signal: AbortSignal | undefined, fresh: boolean): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const key = currentKey();
  if (key) headers["Authorization"] = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      cache: fresh ? "no-cache" : "default",
      credentials: "omit",
    });
  } catch (fault) {
    if (signal?.aborted) throw fault;
    noteAway();
    throw unreachable();
  }
  // What is said of the key itself is heard by who asked for it.
  noteAnswer(key !== null && response.status === 401 && url !== OWN_KEY);
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Why the API refuses a key; null when it takes it. */
export async function accepts(key: string): Promise<string | null> {
  try {
    const headers = { Authorization: `Bearer ${key}`, Accept: "application/json" };
    const response = await fetch(OWN_KEY, { headers, cache: "no-store", credentials: "omit" });
    return response.ok ? null : (await problemOf(response)).message;
  } catch {
    return unreachable().message;
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
