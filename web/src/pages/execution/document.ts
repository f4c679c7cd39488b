/** State documents (format defimon.pools) as texts: what can be chosen from them, and the examples. */

const files = import.meta.glob<string>("./examples/*.json", { query: "?raw", import: "default" });

export interface Example {
  name: string;
  title: string;
  sell: string;
  buy: string;
  amount: string;
}

/** Pools of tests/golden, recorded from the real contracts on a local chain. */
export const EXAMPLES: readonly Example[] = [
  { name: "ether", title: "WETH and USDC: a Uniswap v3 pool and a v2 pair", sell: "WETH", buy: "USDC", amount: "20" },
  { name: "dollars", title: "Three dollars: Curve StableSwap-NG", sell: "DAI", buy: "USDT", amount: "100000" },
  { name: "dense", title: "USDC and USDT: a dense Uniswap v3 pool", sell: "USDC", buy: "USDT", amount: "100000" },
];

export async function exampleText(name: string): Promise<string> {
  const load = files[`./examples/${name}.json`];
  if (!load) throw new Error(`There is no example ${name}.`);
  return load();
}

export interface Token {
  id: string;
  symbol: string;
}

export interface StateDocument {
  raw: unknown;
  tokens: Token[];
  pools: { id: string; type: string; tokens: string[] }[];
  block: string;
  chain: string;
  origin: string;
}

/** What the text holds; a sentence on what is wrong with it where it is none. The API checks the rest. */
export function read(text: string): StateDocument | string {
  if (!text.trim()) return "Paste a state document, open a file, or take an example.";
  let raw: unknown;
  try {
    raw = JSON.parse(exact(text));
  } catch (fault) {
    return `This is no JSON: ${(fault as Error).message}.`;
  }
  const told = raw as { format?: unknown; tokens?: unknown; pools?: unknown; block?: unknown; chain_id?: unknown; origin?: unknown } | null;
  if (typeof told !== "object" || told === null || told.format !== "defimon.pools") return "This is no document of the format defimon.pools.";
  const tokens = objects(told.tokens).map((one) => ({ id: String(one["id"]), symbol: String(one["symbol"] ?? one["id"]) }));
  const pools = objects(told.pools).map((one) => ({ id: String(one["id"]), type: String(one["type"]), tokens: Array.isArray(one["tokens"]) ? one["tokens"].map(String) : [] }));
  if (pools.length === 0) return "The document holds no pools.";
  return { raw, tokens, pools, block: String(told.block ?? "–"), chain: String(told.chain_id ?? "–"), origin: String(told.origin ?? "") };
}

/** Whole numbers that a float does not hold, as texts: the API takes both. Strings are passed over. */
function exact(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|(-?\d{16,})(?![\d.eE])/g, (found, word: string | undefined) => word ?? `"${found}"`);
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((one): one is Record<string, unknown> => typeof one === "object" && one !== null) : [];
}

/** Tokens that some pool trades against `sell`. */
export function partners(document: StateDocument, sell: string): Token[] {
  const found = new Set(document.pools.filter((pool) => pool.tokens.includes(sell)).flatMap((pool) => pool.tokens));
  return document.tokens.filter((token) => found.has(token.id) && token.id !== sell);
}

/** The token of an id or a symbol. */
export function tokenOf(document: StateDocument, name: string): Token | undefined {
  return document.tokens.find((token) => token.id === name) ?? document.tokens.find((token) => token.symbol === name);
}
