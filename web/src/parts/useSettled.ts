import { useEffect, useState } from "react";

/** The value once it has not changed for a while: a word that is still being typed asks nothing. */
export function useSettled(value: string, ms: number): string {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
