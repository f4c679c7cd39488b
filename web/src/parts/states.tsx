/** What stands where an answer is not: waiting, nothing there, or why there is none and what helps. */
import { type ReactNode, createContext, useContext } from "react";
import type { Answer } from "../api/useAnswer.ts";
import type { Problem } from "../api/problem.ts";
import { Icon } from "./Icon.tsx";
import { KeyEntry } from "./KeyEntry.tsx";

/** The heading above a state: a panel has one of its own, else there is the page's name alone. */
export const InPanel = createContext(false);

function Heading({ children }: { children: ReactNode }) {
  const Level = useContext(InPanel) ? "h3" : "h2";
  return <Level className="state-title">{children}</Level>;
}

/** Grey bars in the shape of what is to come. */
export function Skeleton({ lines = 4, height }: { lines?: number; height?: number }) {
  if (height) return <div className="skeleton" style={{ height }} role="status" aria-label="Loading" />;
  return (
    <div className="skeletons" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, at) => <div key={at} className="skeleton skeleton-line" />)}
    </div>
  );
}

/** Nothing to show: says why, and what would change that. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="state">
      <Heading>{title}</Heading>
      {children && <div className="state-words">{children}</div>}
      {action}
    </div>
  );
}

/** Text in which `words` between back quotes are code. */
export function Told({ text }: { text: string }) {
  return text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part));
}

/** A problem with its field and remedy; where a key would help, it can be entered here. */
export function ErrorState({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const { title, field, remedy, errors, rows, unknown, request_id } = problem.document;
  const near = Object.entries(unknown ?? {}).filter(([, names]) => names.length > 0);
  return (
    <div className="state state-error" role="alert">
      <Icon name="warning" size={22} />
      <Heading>{title ?? "That failed"}</Heading>
      <div className="state-words">
        <p><Told text={problem.message} /></p>
        {field && <p>Where: <code>{field}</code></p>}
        {errors && errors.length > 1 && (
          <ul>{errors.map((one) => <li key={one.field}><code>{one.field}</code>: {one.detail}</li>)}</ul>
        )}
        {rows && <ul>{rows.slice(0, 5).map((row) => <li key={row}>{row}</li>)}</ul>}
        {near.map(([name, names]) => <p key={name}>Near to <code>{name}</code>: {names.join(", ")}</p>)}
        {remedy && problem.status !== 401 && <p className="state-remedy"><Told text={remedy} /></p>}
        {request_id && problem.status >= 500 && <p className="quiet">Request {request_id}</p>}
      </div>
      {problem.needsKey && <KeyEntry />}
      {retry && !problem.needsKey && <button type="button" className="button" onClick={retry}>Try again</button>}
    </div>
  );
}

/** What is shown is not the newest, and why; where a key would help, it can be entered here. */
export function Stale({ problem, reload }: { problem: Problem; reload: () => void }) {
  return (
    <div className="notice tone-warn" role="status">
      <p>
        These are the last figures that came: <Told text={problem.message} />{" "}
        {!problem.needsKey && <button type="button" className="link" onClick={reload}>Ask again</button>}
      </p>
      {problem.needsKey && <KeyEntry />}
    </div>
  );
}

interface AnsweredProps<T> {
  of: Answer<T>;
  /** What to show while waiting; a few grey lines unless given. */
  waiting?: ReactNode;
  children: (data: T) => ReactNode;
}

/** The answer shown by `children`, or its state. A newer answer that fails leaves the last one, and says so. */
export function Answered<T>({ of, waiting, children }: AnsweredProps<T>) {
  if (of.data === undefined) {
    return of.problem ? <ErrorState problem={of.problem} retry={of.reload} /> : <>{waiting ?? <Skeleton />}</>;
  }
  return (
    <>
      {of.problem && <Stale problem={of.problem} reload={of.reload} />}
      {children(of.data)}
    </>
  );
}
