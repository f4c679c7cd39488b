/** One request for all who ask the same at the same time; given up once none of them waits any more. */
import { ask } from "./client.ts";
import { onKey } from "./key.ts";

interface Flight {
  answer: Promise<unknown>;
  stopping: AbortController;
  waiting: number;
  /** When it began to pass over the browser's copy and have the API look anew; null if it does not. */
  fresh: number | null;
  /** What was asked for later, and is waited for instead. */
  next: Flight | null;
}

const flights = new Map<string, Flight>();
onKey(() => flights.clear());

/** How long an answer that was asked for ahead waits for whoever wants it. */
const LINGER_MS = 5_000;
/** Those who hear of the same news ask within so long of each other. */
const TOGETHER_MS = 50;

function flightOf(url: string, { linger = 0, fresh = false } = {}): Flight {
  const known = flights.get(url);
  const now = performance.now();
  if (known && (!fresh || (known.fresh !== null && now - known.fresh < TOGETHER_MS))) return known;
  const stopping = new AbortController();
  const answer = ask(url, { signal: stopping.signal, fresh });
  const made: Flight = { answer, stopping, waiting: known?.waiting ?? 0, fresh: fresh ? now : null, next: null };
  flights.set(url, made);
  if (known) {
    // Whoever waits for the older answer gets the newer one: the two could come in the wrong order.
    known.next = made;
    known.stopping.abort();
  }
  const land = () => {
    if (flights.get(url) === made) flights.delete(url);
  };
  answer.then(() => (linger > 0 ? void setTimeout(land, linger) : land()), land);
  return made;
}

/** The flight that is waited for in place of this one. */
function newest(flight: Flight): Flight {
  return flight.next ? newest(flight.next) : flight;
}

async function landed(flight: Flight): Promise<unknown> {
  const [answer] = await Promise.allSettled([flight.answer]);
  if (flight.next) return landed(flight.next);
  if (answer.status === "rejected") throw answer.reason;
  return answer.value;
}

/** Ask, and hear unless `signal` says before that it is not wanted any more. `fresh` passes over the browser's copy. */
export async function shared<T>(url: string, signal: AbortSignal, fresh: boolean): Promise<T> {
  const flight = flightOf(url, { fresh });
  flight.waiting++;
  let waits = true;
  const done = () => {
    if (waits) newest(flight).waiting--;
    waits = false;
  };
  const leave = () => {
    done();
    const last = newest(flight);
    if (last.waiting > 0) return;
    if (flights.get(url) === last) flights.delete(url);
    last.stopping.abort();
  };
  signal.addEventListener("abort", leave, { once: true });
  try {
    return (await landed(flight)) as T;
  } finally {
    signal.removeEventListener("abort", leave);
    done();
  }
}

/** Begin to ask what is going to be wanted in a moment. */
export function begin(urls: readonly string[]): void {
  for (const url of urls) flightOf(url, { linger: LINGER_MS });
}
