/** A labelled part of a form, with its hint, and what the API says is wrong with it. */
import { type ReactNode, useId } from "react";
import type { Problem } from "../api/problem.ts";

/** What a problem says of one field of the question; null when it is about others. */
export function faultOf(problem: Problem | null, field: string): string | null {
  if (!problem) return null;
  const { document } = problem;
  const own = (name: string | undefined) => name !== undefined && name.split(", ").some((one) => one.replace(/^body\./, "").replace(/\.\d+$/, "") === field);
  const told = document.errors?.find((one) => own(one.field));
  if (told) return told.detail;
  if (!own(document.field)) return null;
  const near = Object.entries(document.unknown ?? {}).map(([name, names]) => (names.length > 0 ? `${name}: did you mean ${names.join(", ")}?` : `${name} is not known.`));
  return [problem.message, ...near, document.remedy].filter(Boolean).join(" ");
}

interface Props {
  label: string;
  hint?: ReactNode;
  fault?: string | null;
  className?: string;
  /** The input; it takes these attributes. */
  children: (given: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean }) => ReactNode;
}

export function Field({ label, hint, fault = null, className = "", children }: Props) {
  const id = useId();
  const says = fault ?? hint;
  return (
    <div className={`field ${fault ? "field-wrong" : ""} ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": says ? `${id}-says` : undefined, "aria-invalid": fault !== null })}
      {says && <small id={`${id}-says`} role={fault ? "alert" : undefined}>{says}</small>}
    </div>
  );
}
