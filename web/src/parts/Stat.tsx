/** Figures that are read at a glance: a label, the figure, and what it means. */
import type { ReactNode } from "react";

export type Tone = "plain" | "good" | "bad" | "warn";

interface Props {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  tone?: Tone;
}

export function Stats({ children, label }: { children: ReactNode; label: string }) {
  return <dl className="stats" aria-label={label}>{children}</dl>;
}

export function Stat({ label, value, note, tone = "plain" }: Props) {
  return (
    <div className={`stat tone-${tone}`}>
      <dt>{label}</dt>
      <dd>
        <span className="stat-value">{value}</span>
        {note && <span className="stat-note">{note}</span>}
      </dd>
    </div>
  );
}
