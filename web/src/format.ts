/** Figures as text: always with their unit, a missing one as a dash. */

export const NONE = "–";
/** A narrow space that does not break, between a figure and its unit. */
const THIN = "\u202f";
const MINUS = "\u2212";

/** Making a format costs more than a hundred uses of it. */
const numbers = new Map<number, Intl.NumberFormat>();

function numberFormat(digits: number): Intl.NumberFormat {
  let found = numbers.get(digits);
  if (!found) {
    found = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    numbers.set(digits, found);
  }
  return found;
}

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const UTC_DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

function plain(value: number, digits: number): string {
  const text = numberFormat(digits).format(Math.abs(value));
  return value < 0 && Number(text.replaceAll(",", "")) !== 0 ? MINUS + text : text;
}

type Figure = number | null | undefined;

function known(value: Figure): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** A fraction as percent: 0.052 is 5.20 %; very large ones lose their decimals. */
export function percent(value: Figure, digits?: number): string {
  if (!known(value)) return NONE;
  const scaled = value * 100;
  return plain(scaled, digits ?? (Math.abs(scaled) >= 1_000 ? 0 : 2)) + THIN + "%";
}

/** A share as whole percent: 0.905 is 91 %. */
export function share(value: Figure, digits = 0): string {
  return percent(value, digits);
}

/** A difference of two rates in percentage points, with its sign. */
export function points(value: Figure): string {
  if (!known(value)) return NONE;
  const text = plain(value * 100, 2);
  return `${value > 0 && /[1-9]/.test(text) ? "+" : ""}${text}${THIN}pp`;
}

/** Money, short: $1.24M. */
export function usd(value: Figure): string {
  if (!known(value)) return NONE;
  const size = Math.abs(value);
  const [unit, letter] = size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"] : size >= 1e3 ? [1e3, "K"] : [1, ""];
  const scaled = size / unit;
  const digits = letter === "" ? 0 : scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${value < 0 ? MINUS : ""}$${plain(scaled, digits)}${letter}`;
}

/** A count or any other figure, with separators. */
export function figure(value: Figure, digits = 0): string {
  return known(value) ? plain(value, digits) : NONE;
}

/** Something small, by its first digits that say something: 0.00312. */
export function significant(value: Figure, digits = 3): string {
  if (!known(value)) return NONE;
  if (value === 0) return "0";
  return Number(value.toPrecision(digits)).toLocaleString("en-US", { maximumSignificantDigits: digits }).replace("-", MINUS);
}

const STEPS: [number, string][] = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];

/** A length of time in its largest unit: 90 is 1.5 min. */
export function duration(seconds: Figure, { coarse = false } = {}): string {
  if (!known(seconds)) return NONE;
  for (const [size, unit] of STEPS) {
    if (Math.abs(seconds) >= size) {
      const count = seconds / size;
      const whole = unit === "s" || (coarse && unit === "min");
      return `${plain(count, Math.abs(count) < 10 && !whole ? 1 : 0).replace(/\.0$/, "")}${THIN}${unit}`;
    }
  }
  return seconds === 0 ? `0${THIN}s` : `${plain(seconds * 1000, 0)}${THIN}ms`;
}

/** How long ago, or how soon. */
export function ago(moment: string | Date, now: number = Date.now()): string {
  const seconds = (now - new Date(moment).getTime()) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  return seconds >= 0 ? `${duration(seconds, { coarse: true })} ago` : `in ${duration(-seconds, { coarse: true })}`;
}

/** A moment in the reader's zone. */
export function localTime(moment: string | Date, { day = false } = {}): string {
  const at = new Date(moment);
  return day ? DATE.format(at) : `${DATE.format(at)}, ${CLOCK.format(at)}`;
}

/** A UTC day, whatever the reader's zone: rows of a daily table belong to UTC days. */
export function utcDay(moment: string | Date): string {
  return UTC_DATE.format(new Date(moment));
}

/** A moment in UTC, to the second. */
export function utcTime(moment: string | Date): string {
  return `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Names that are not written as their slugs are. */
const OWN: Record<string, string> = { zksync: "zkSync", bnb: "BNB Chain", bsc: "BNB Chain", zkevm: "zkEVM", dao: "DAO", dex: "DEX", usd: "USD", eth: "ETH", mlp: "MLP", lstm: "LSTM", xgboost: "XGBoost", defillama: "DefiLlama", evm: "EVM", rpc: "RPC", github: "GitHub", coingecko: "CoinGecko", tvl: "TVL", apy: "APY" };

/** Digits of a version by which people tell models apart. */
const VERSION_DIGITS = 6;

/** A slug as a person writes it: aave-v3 is Aave v3, and ridge@1a2b3c4d is Ridge 1a2b3c. */
export function title(slug: string | null | undefined): string {
  if (!slug) return NONE;
  const [name = "", version] = slug.split("@");
  if (name && version) return `${title(name)} ${version.slice(0, VERSION_DIGITS)}`;
  return slug
    .split(/[-_ ]/)
    .map((word, at) => OWN[word] ?? (/^v\d/.test(word) || (at > 0 && /^(of|the|on)$/.test(word)) ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(" ");
}
