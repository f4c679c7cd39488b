/** The key that the reader entered: kept until the tab is closed, sent to this API alone. */
import { useSyncExternalStore } from "react";

const PLACE = "defimon.key";
const listeners = new Set<() => void>();

export function currentKey(): string | null {
  try {
    return sessionStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

/** Keep a key, or forget it with null; everything that is shown is asked for anew. */
export function setKey(key: string | null): void {
  try {
    if (key) sessionStorage.setItem(PLACE, key.trim());
    else sessionStorage.removeItem(PLACE);
  } catch {
    // A browser that keeps nothing has no key after this.
  }
  for (const listener of listeners) listener();
}

export function onKey(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useKey(): string | null {
  return useSyncExternalStore(onKey, currentKey);
}
