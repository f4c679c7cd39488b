/** One request for all who ask the same at the same time; given up once none of them waits any more. */
import { ask } from "./client.ts";
import { onKey } from "./key.ts";

interface Flight {
  answer: Promise<unknown>;
  stopping: AbortController;
  waiting: number;
  /** Passes over the browser's copy, and has the API look at the store anew. */
  fresh: boolean;
}

const flights = new Map<string, Flight>();
onKey(() => flights.clear());

/** How long an answer that was asked for ahead waits for whoever wants it. */
const LINGER_MS = 5_000;

function flightOf(url: string, { linger = 0, fresh = false } = {}): Flight {
  const known = flights.get(url);
  if (known && (known.fresh || !fresh)) return known;
  const stopping = new AbortController();
  const made: Flight = { answer: ask(url, { signal: stopping.signal, fresh }), stopping, waiting: 0, fresh };
  flights.set(url, made);
  const land = () => {
    if (flights.get(url) === made) flights.delete(url);
  };
  made.answer.then(() => (linger > 0 ? void setTimeout(land, linger) : land()), land);
  return made;
}

/** Ask, and hear unless `signal` says before that it is not wanted any more. `fresh` passes over the browser's copy. */
export async function shared<T>(url: string, signal: AbortSignal, fresh: boolean): Promise<T> {
  const flight = flightOf(url, { fresh });
  flight.waiting++;
  const leave = () => {
    if (--flight.waiting > 0) return;
    if (flights.get(url) === flight) flights.delete(url);
    flight.stopping.abort();
  };
  signal.addEventListener("abort", leave, { once: true });
  try {
    return (await flight.answer) as T;
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** Begin to ask what is going to be wanted in a moment. */
export function begin(urls: readonly string[]): void {
  for (const url of urls) flightOf(url, { linger: LINGER_MS });
}
