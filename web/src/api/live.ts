/** News from the API: server-sent events while they flow, else a look once in a while. */
import { useSyncExternalStore } from "react";
import { pause } from "./client.ts";
import { onContact } from "./contact.ts";
import { currentKey, onKey } from "./key.ts";
import { type News, events } from "./stream.ts";

export type Line = "connecting" | "live" | "polling";

const PATH = "/v1/events";
const LOOK_MS = 60_000;
const LONGEST_WAIT_MS = 30_000;
/** Several changes at once are one reason to look. */
const GATHER_MS = 800;
/** A page out of sight gives its connection back: a browser has few to one host. */
const HIDDEN_MS = 20_000;
const LOOK: News = { event: "look", data: null, id: "" };

const heard = new Set<(news: News) => void>();
const looking = new Map<() => void, readonly string[]>();
const watching = new Set<() => void>();
let line: Line = "connecting";
let running: AbortController | null = null;
let gathering: ReturnType<typeof setTimeout> | undefined;
let gathered = new Set<string>();
let leaving: ReturnType<typeof setTimeout> | undefined;

/** Called for each event. Returns what ends it. */
export function onEvent(listener: (news: News) => void): () => void {
  heard.add(listener);
  return () => heard.delete(listener);
}

/** Called a moment after one or several of these events: time to ask anew. Returns what ends it. */
export function onNews(listener: () => void, topics: readonly string[] = ["data"]): () => void {
  looking.set(listener, topics);
  return () => looking.delete(listener);
}

export function useLine(): Line {
  return useSyncExternalStore(
    (listener) => {
      watching.add(listener);
      return () => watching.delete(listener);
    },
    () => line,
  );
}

/** Begin to listen; once, when the application starts. */
export function listen(): void {
  onKey(restart);
  onContact((contact) => { if (contact === "back" && line === "polling") restart(); });
  restart();
  setInterval(() => {
    if (line !== "live" && !document.hidden) spread(LOOK);
  }, LOOK_MS);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) {
      leaving = setTimeout(stop, HIDDEN_MS);
    } else if (!running) {
      restart();
      spread(LOOK);
    }
  });
}

function stop(): void {
  running?.abort();
  running = null;
  become("connecting");
}

function restart(): void {
  running?.abort();
  running = new AbortController();
  void follow(running.signal);
}

async function follow(signal: AbortSignal): Promise<void> {
  let last = "";
  for (let wait = 1_000; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      const response = await open(last, signal);
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        become("polling");
        return;
      }
      if (response.ok && response.body) {
        // What happened while nothing was heard, and is not told again, is looked at.
        if (line === "polling") spread(LOOK);
        become("live");
        for await (const news of events(response.body)) {
          last = news.id || last;
          wait = 1_000;
          spread(news);
        }
      }
    } catch {
      if (signal.aborted) return;
    }
    become("polling");
    await pause(wait, signal).catch(() => undefined);
  }
}

function open(last: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  const key = currentKey();
  if (key) headers["Authorization"] = `Bearer ${key}`;
  if (last) headers["Last-Event-ID"] = last;
  return fetch(PATH, { headers, signal, cache: "no-store", credentials: "omit" });
}

function spread(news: News): void {
  for (const listener of heard) listener(news);
  gathered.add(news.event);
  gathering ??= setTimeout(() => {
    const told = gathered;
    gathered = new Set();
    gathering = undefined;
    for (const [listener, topics] of looking) if (told.has(LOOK.event) || topics.some((one) => told.has(one))) listener();
  }, GATHER_MS);
}

function become(now: Line): void {
  if (line === now) return;
  line = now;
  for (const listener of watching) listener();
}
