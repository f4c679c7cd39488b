/** A framed part of a page, under its own heading. */
import { type ReactNode, useId } from "react";
import { InPanel } from "./states.tsx";

interface Props {
  title: string;
  /** What the figures are, in a line. */
  about?: ReactNode;
  /** Buttons and choices at the right of the heading. */
  actions?: ReactNode;
  /** Nothing between frame and content: for tables. */
  flush?: boolean;
  className?: string;
  children: ReactNode;
}

export function Panel({ title, about, actions, flush = false, className = "", children }: Props) {
  const id = useId();
  return (
    <section className={`panel ${flush ? "panel-flush" : ""} ${className}`} aria-labelledby={id}>
      <header className="panel-head">
        <div className="panel-words">
          <h2 id={id}>{title}</h2>
          {about && <p>{about}</p>}
        </div>
        {actions && <div className="panel-actions">{actions}</div>}
      </header>
      <InPanel value={true}><div className="panel-body">{children}</div></InPanel>
    </section>
  );
}
