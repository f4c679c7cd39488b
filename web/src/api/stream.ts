/** Server-sent events read from the body of an answer, so that the question can carry a key. */

export interface News {
  /** What changed, as the API names the event; `look` when it was only time to look. */
  event: string;
  data: unknown;
  id: string;
}

/** Events of a stream, as the HTML standard reads them. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<News> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const news = eventOf(block);
      if (news) yield news;
    }
  }
}

/** One event of its lines; null for a comment. */
export function eventOf(block: string): News | null {
  const told: Record<string, string[]> = {};
  for (const text of block.split("\n")) {
    const at = text.indexOf(":");
    if (at === 0) continue;
    const name = at < 0 ? text : text.slice(0, at);
    (told[name] ??= []).push(at < 0 ? "" : text.slice(at + 1).replace(/^ /, ""));
  }
  if (!told["data"]) return null;
  const text = told["data"].join("\n");
  let data: unknown = text;
  try {
    data = JSON.parse(text);
  } catch {
    // Plain text is an event too.
  }
  return { event: told["event"]?.at(-1) ?? "message", data, id: told["id"]?.at(-1) ?? "" };
}
