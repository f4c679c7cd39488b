/** Rules as texts of a form, and as the API takes them. */
import type { Kind, Rule, RuleSetting, Scope } from "../../api/alerts.ts";
import { figure, percent, significant, title } from "../../format.ts";
import { listed } from "../../parts/words.ts";

export interface Draft {
  name: string;
  kind: string;
  /** Numbers as they are typed: percent where the unit is a fraction. */
  settings: Record<string, string>;
  names: string;
  chains: string;
  protocols: string;
  stablecoin: "" | "yes" | "no";
  min_tvl_usd: string;
  channels: string[];
  shared: boolean;
  enabled: boolean;
}

export const EMPTY: Draft = { name: "", kind: "", settings: {}, names: "", chains: "", protocols: "", stablecoin: "", min_tvl_usd: "", channels: [], shared: false, enabled: true };

const SCALE = 100;

export function isShare(unit: string): boolean {
  return unit.startsWith("fraction");
}

/** The unit in which a setting is typed and shown. */
export function unitOf(setting: RuleSetting): string {
  return isShare(setting.unit) ? setting.unit.replace("fraction", "%") : setting.unit;
}

export function typed(setting: RuleSetting, value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  return String(isShare(setting.unit) ? Number((value * SCALE).toPrecision(12)) : value);
}

/** A draft of the kind with its defaults; what was typed for settings of the same name stays. */
export function ofKind(draft: Draft, kind: Kind): Draft {
  const settings = Object.fromEntries(kind.settings.map((one) => [one.name, draft.settings[one.name] ?? typed(one, one.default)]));
  return { ...draft, kind: kind.name, settings };
}

export function draftOf(rule: Rule, kind: Kind | undefined): Draft {
  const { scope } = rule;
  const settings = Object.fromEntries((kind?.settings ?? []).map((one) => [one.name, typed(one, rule.settings[one.name])]));
  return {
    name: rule.name, kind: rule.kind, settings, names: scope.names.join(", "), chains: scope.chains.join(", "), protocols: scope.protocols.join(", "),
    stablecoin: scope.stablecoin === null ? "" : scope.stablecoin ? "yes" : "no", min_tvl_usd: scope.min_tvl_usd === null ? "" : String(scope.min_tvl_usd),
    channels: rule.channels, shared: rule.shared, enabled: rule.enabled,
  };
}

/** What is sent to the API. */
export function asked(draft: Draft, kind: Kind) {
  const numbers = kind.settings
    .filter((one) => (draft.settings[one.name] ?? "").trim() !== "")
    .map((one) => [one.name, Number(draft.settings[one.name]) / (isShare(one.unit) ? SCALE : 1)]);
  const pools = kind.about === "pools";
  const scope = {
    names: listed(draft.names),
    ...(pools ? { chains: listed(draft.chains), protocols: listed(draft.protocols) } : {}),
    ...(pools && draft.stablecoin ? { stablecoin: draft.stablecoin === "yes" } : {}),
    ...(pools && draft.min_tvl_usd.trim() ? { min_tvl_usd: Number(draft.min_tvl_usd) } : {}),
  };
  return { name: draft.name.trim(), kind: kind.name, settings: Object.fromEntries(numbers), scope, channels: draft.channels, shared: draft.shared, enabled: draft.enabled };
}

/** A rule that stays as it is, but for whether it is judged. */
export function switched(rule: Rule, enabled: boolean) {
  const { name, kind, settings, scope, channels, shared } = rule;
  return { name, kind, settings, scope, channels, shared, enabled };
}

/** What a rule looks for, in a few words. */
export function saysOf(rule: Rule, kind: Kind | undefined): string {
  const settings = (kind?.settings ?? []).map((one) => {
    const value = rule.settings[one.name];
    if (value === undefined) return "";
    return `${one.name.replace("_usd", "").replaceAll("_", " ")} ${isShare(one.unit) ? percent(value) : `${significant(value)} ${one.unit}`}`;
  });
  return [title(rule.kind), ...settings.filter(Boolean)].join(" · ");
}

export function scopeWords(scope: Scope): string {
  const parts = [
    scope.names.length > 2 ? `${scope.names.length} by name` : scope.names.join(", "), scope.chains.join(", "), scope.protocols.join(", "),
    scope.stablecoin === null ? "" : scope.stablecoin ? "stablecoins" : "no stablecoins", scope.min_tvl_usd === null ? "" : `TVL from $${figure(scope.min_tvl_usd)}`,
  ];
  return parts.filter(Boolean).join("; ") || "all there is";
}

/** The figure that an alert found, in its unit. */
export function found(value: number | null, unit: string | null): string {
  if (value === null) return "–";
  if (unit && isShare(unit)) return percent(value);
  if (unit === "USD") return `$${significant(value, 5)}`;
  return `${significant(value)} ${unit ?? ""}`.trim();
}
