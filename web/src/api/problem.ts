/** Why there is no answer, as the API's problem documents (RFC 9457) say it. */
export interface ProblemDocument {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  request_id?: string;
  field?: string;
  remedy?: string;
  errors?: { field: string; detail: string }[];
  rows?: string[];
  unknown?: Record<string, string[]>;
  figure?: number;
  retry_after_s?: number;
}

export class Problem extends Error {
  readonly status: number;
  readonly document: ProblemDocument;

  constructor(status: number, document: ProblemDocument) {
    super(document.detail ?? document.title ?? `The answer was ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.document = document;
  }

  get needsKey(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** Seconds after which asking again may help; null when it will not. */
  get again(): number | null {
    const passing = this.status === 0 || this.status === 429 || this.status >= 502;
    return passing ? (this.document.retry_after_s ?? 1) : null;
  }
}

/** No answer at all: status 0. */
export function unreachable(): Problem {
  return new Problem(0, {
    title: "The service cannot be reached",
    detail: "No answer came from the API.",
    remedy: "Check that `defimon serve` runs and that this machine is connected.",
  });
}

export async function problemOf(response: Response): Promise<Problem> {
  let document: ProblemDocument = {};
  try {
    document = (await response.json()) as ProblemDocument;
  } catch {
    document = { title: response.statusText };
  }
  const after = Number(response.headers.get("retry-after"));
  if (after > 0) document.retry_after_s ??= after;
  return new Problem(response.status, document);
}
