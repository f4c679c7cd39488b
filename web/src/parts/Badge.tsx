import type { ReactNode } from "react";
import type { Tone } from "./Stat.tsx";

/** A word on a ground of colour; the word alone carries the meaning. */
export function Badge({ tone = "plain", title, children }: { tone?: Tone | "accent"; title?: string; children: ReactNode }) {
  return <span className={`badge tone-${tone}`} title={title}>{children}</span>;
}
