/** Which key is in use, as the API knows it. */
import { useEffect } from "react";
import { OWN_KEY } from "./client.ts";
import { onContact } from "./contact.ts";
import { useKey } from "./key.ts";
import { type Answer, useAnswer } from "./useAnswer.ts";

export interface OwnKey {
  name: string | null;
  scope: "read" | "run" | "admin";
  key_id: string | null;
  ends_at: string | null;
}

/** A key may be revoked while it is in use. */
const LOOK_S = 60;

/** The key in use; nothing while there is none. What was said of the key before is not said of this one. */
export function useCaller(): Pick<Answer<OwnKey>, "data" | "problem"> {
  const key = useKey();
  const { data, problem, reload } = useAnswer<OwnKey>(key ? OWN_KEY : null, {}, LOOK_S);
  useEffect(() => onContact((contact) => { if (contact === "refused") reload(); }), [reload]);
  return { data: data && key?.split("_")[1] === data.key_id ? data : undefined, problem };
}

/** Why the key in use cannot do what needs `run`; null when it can, or nobody has said yet. */
export function useRunRefusal(): string | null {
  const key = useKey();
  const { data, problem } = useCaller();
  if (!key) return "needs a key of scope run";
  if (problem?.needsKey) return `needs a key that holds: ${problem.message}`;
  if (data?.scope === "read") return `needs a key of scope run; “${data.name ?? ""}” is for reading`;
  return null;
}
