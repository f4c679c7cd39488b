/** What answers tell beside what was asked: the key is refused, or the service is back after it was away. */
export type Contact = "refused" | "back";

const listeners = new Set<(contact: Contact) => void>();
let away = false;

function tell(contact: Contact): void {
  for (const listener of listeners) listener(contact);
}

export function noteAway(): void {
  away = true;
}

/** An answer has come; `refused` when it says that the key does not hold. */
export function noteAnswer(refused: boolean): void {
  if (refused) tell("refused");
  if (!away) return;
  away = false;
  tell("back");
}

export function onContact(listener: (contact: Contact) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
