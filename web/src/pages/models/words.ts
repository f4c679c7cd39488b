/** Names of what is forecast, and of those who answer. */
import type { ModelVersion } from "../../api/types.ts";

export const TARGETS = [["apy_mean", "Mean APY"], ["apy_volatility", "Volatility"], ["apy_drop", "Fall by a fifth"]] as const;

/** The error that the models of a target are ranked by, and how to read it. */
export function errorOf(target: string): { name: string; yardstick: string; title: string; hint: string } {
  return target === "apy_drop"
    ? { name: "brier", yardstick: "yardstick_brier", title: "Brier score", hint: "Mean squared error of the probability; lower is better" }
    : { name: "mae", yardstick: "yardstick_mae", title: "Mean error", hint: "In the scale of the walk-forward: docs/evaluation.md; lower is better" };
}

export const ALIASES = ["champion", "challenger", "previous"] as const;
export type Alias = (typeof ALIASES)[number];

/** The version of an alias: several may be held by one version, by commas. */
export function holderOf(versions: readonly ModelVersion[], alias: Alias): ModelVersion | undefined {
  return versions.find((one) => aliasesOf(one).includes(alias));
}

export function aliasesOf(version: ModelVersion): string[] {
  return (version.alias ?? "").split(/[,\s]+/).filter(Boolean);
}

/** The share of the yardstick's error that a version saved on the walk that taught it. */
export function skillOf(version: ModelVersion): number | null {
  return version.scores["gate_skill"] ?? version.scores["skill"] ?? null;
}
