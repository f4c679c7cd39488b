/** Figures of scored forecasts in words, and in tables of groups. */
import type { Figures, Group } from "../../api/types.ts";
import { figure, percent, share, significant, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import type { Column } from "../../table/Table.tsx";

/** What the intervals promise. */
export const MEANT = 0.9;
/** A coverage so far from what is meant is worth a colour. */
const AMISS = 0.05;

export function toneOfSkill(skill: number | null): "good" | "bad" | "plain" {
  if (skill === null || Math.abs(skill) < 0.005) return "plain";
  return skill > 0 ? "good" : "bad";
}

export function Skill({ value }: { value: number | null }) {
  return <span className={toneOfSkill(value)}>{value !== null && value > 0 ? "+" : ""}{share(value, 1)}</span>;
}

export function Coverage({ value }: { value: number | null }) {
  return <span className={value !== null && Math.abs(value - MEANT) > AMISS ? "warn" : ""}>{share(value, 1)}</span>;
}

export function Proved({ figures }: { figures: Pick<Figures, "proved" | "dm_t"> }) {
  if (figures.proved === null) return <span className="quiet">too early</span>;
  return figures.proved ? <Badge tone="good">proved</Badge> : <Badge>not proved</Badge>;
}

export function groupColumns(head: string, named: (name: string) => string = title): Column<Group>[] {
  const f = (group: Group) => group.figures;
  return [
    { key: "name", title: head, width: "minmax(120px, 1.6fr)", cell: (row) => named(row.name), value: (row) => row.name },
    { key: "skill", title: "Skill", width: "minmax(72px, .8fr)", align: "end", hint: "Share of the yardstick's error that was saved", cell: (row) => <Skill value={f(row).skill} />, value: (row) => f(row).skill },
    { key: "coverage", title: "In interval", width: "minmax(82px, .8fr)", align: "end", hint: "Share of truths inside the 90 % interval", cell: (row) => <Coverage value={f(row).coverage} />, value: (row) => f(row).coverage },
    { key: "mae", title: "Mean error", width: "minmax(84px, .8fr)", align: "end", from: 480, csv: "mae (fraction a year)", cell: (row) => percent(f(row).mae), value: (row) => f(row).mae },
    { key: "yardstick", title: "Yardstick's", width: "minmax(84px, .8fr)", align: "end", from: 560, csv: "yardstick_mae (fraction a year)", cell: (row) => percent(f(row).yardstick_mae), value: (row) => f(row).yardstick_mae },
    { key: "dm_t", title: "DM t", width: "minmax(62px, .6fr)", align: "end", from: 640, hint: "Diebold-Mariano t against the yardstick; below zero is better", cell: (row) => significant(f(row).dm_t), value: (row) => f(row).dm_t },
    { key: "forecasts", title: "Forecasts", width: "minmax(76px, .7fr)", align: "end", from: 400, cell: (row) => figure(f(row).forecasts), value: (row) => f(row).forecasts },
  ];
}
