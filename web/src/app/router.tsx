/** Addresses: the first word is the page, the rest and the query belong to it. */
import { type AnchorHTMLAttributes, type MouseEvent, useCallback, useMemo, useSyncExternalStore } from "react";

export interface Place {
  /** First word of the path; "" is the overview. */
  page: string;
  /** The words after it, decoded. */
  rest: string[];
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}
addEventListener("popstate", tell);

/** Go to an address of this application; `replace` leaves no step to go back to. */
export function go(href: string, { replace = false } = {}): void {
  if (href === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", href);
  if (!replace) scrollTo(0, 0);
  tell();
}

export function useHref(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => location.pathname + location.search,
  );
}

export function placeOf(href: string): Place {
  const url = new URL(href, location.origin);
  const [page = "", ...rest] = url.pathname.slice(1).split("/").map(decoded);
  return { page, rest: rest.filter(Boolean), query: url.searchParams };
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

export function usePlace(): Place {
  const href = useHref();
  return useMemo(() => placeOf(href), [href]);
}

/** The address of a pool's page. */
export function poolHref(poolId: string): string {
  return `/pool/${encodeURIComponent(poolId)}`;
}

/** A value in the address's query, "" when it is not there, and how to set it (in place: no step to go back). */
export function useQueryValue(name: string): [string, (value: string) => void] {
  const { query } = usePlace();
  const set = useCallback((value: string) => setQuery({ [name]: value }), [name]);
  return [query.get(name) ?? "", set];
}

/** Change values of the query at once; an empty one is left out. */
export function setQuery(values: Record<string, string>): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  go(url.pathname + url.search, { replace: true });
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  href: string;
}

/** A link within the application; a click with a modifier is the browser's. */
export function Link({ href, onClick, ...rest }: LinkProps) {
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  };
  return <a href={href} onClick={click} {...rest} />;
}
