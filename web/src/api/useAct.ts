/** Something that the reader has done: one at a time, with what came of it. */
import { useCallback, useEffect, useRef, useState } from "react";
import { onKey } from "./key.ts";
import { Problem } from "./problem.ts";

export interface Act {
  busy: boolean;
  /** Why the last one failed; null before it and once one succeeds. */
  problem: Problem | null;
  /** Do it: its answer, or undefined when it failed or another is under way. */
  run: <T>(work: () => Promise<T>) => Promise<T | undefined>;
  forget: () => void;
}

export function useAct(): Act {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const under = useRef(false);
  const run = useCallback(async <T,>(work: () => Promise<T>): Promise<T | undefined> => {
    if (under.current) return undefined;
    under.current = true;
    setBusy(true);
    try {
      const answer = await work();
      setProblem(null);
      return answer;
    } catch (fault) {
      setProblem(fault instanceof Problem ? fault : new Problem(0, { detail: String(fault) }));
      return undefined;
    } finally {
      under.current = false;
      setBusy(false);
    }
  }, []);
  const forget = useCallback(() => setProblem(null), []);
  // What one key may not, another may: then it can be tried again.
  useEffect(() => onKey(forget), [forget]);
  return { busy, problem, run, forget };
}
