/** Light or dark: the system's unless the reader chose. Charts ask here for the colours of the moment. */
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";
const PLACE = "defimon.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}
system.addEventListener("change", tell);

export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

/** Choose the other theme, and remember it where the browser allows. */
export function switchTheme(): void {
  const theme = currentTheme() === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(PLACE, theme);
  } catch {
    // Then it holds until the page is left.
  }
  tell();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, currentTheme);
}

/** A colour of tokens.css as it is now, by its name without the dashes. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
