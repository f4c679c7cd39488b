/** Columns of models: on history, as they are kept, and what happened to them. */
import type { ModelEvent, ModelVersion, Standing } from "../../api/types.ts";
import { percent, share, significant, title, utcDay } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Time } from "../../parts/Time.tsx";
import type { Column } from "../../table/Table.tsx";
import { aliasesOf, errorOf, skillOf } from "./words.ts";

function Signed({ value }: { value: number | null }) {
  const tone = value === null || Math.abs(value) < 0.0005 ? "" : value > 0 ? "good" : "bad";
  return <span className={tone}>{value !== null && value > 0 ? "+" : ""}{share(value, 1)}</span>;
}

const score = (name: string) => (row: { scores: Record<string, number> }) => row.scores[name] ?? null;

/** Skill by the error of the target, where the walk has not written it: events have none of their own. */
function skillBeside(target: string, row: Standing): number | null {
  const own = row.scores["skill"];
  if (own !== undefined) return own;
  const [brier, yardstick] = [row.scores["brier"], row.scores["brier_yardstick"]];
  return target === "apy_drop" && brier !== undefined && yardstick ? 1 - brier / yardstick : null;
}

function scored(name: string, head: string, from: number, hint: string, show: (value: number | null) => string = significant): Column<Standing> {
  return { key: name, title: head, width: "minmax(84px, .8fr)", align: "end", from, hint, cell: (row) => show(score(name)(row)), value: score(name) };
}

export function boardColumns(target: string): Column<Standing>[] {
  const error = errorOf(target);
  const skill = (row: Standing) => skillBeside(target, row);
  const rest = target === "apy_drop"
    ? [scored("auc", "AUC", 480, "Area under the ROC curve: 0.5 is a coin"), scored("base_rate", "Base rate", 560, "How often it happened", percent)]
    : [
        scored("coverage", "In interval", 420, "Share of truths inside the 90 % interval", (value) => share(value, 1)),
        scored("dm_t", "DM t", 520, "Diebold-Mariano t against the yardstick; below zero is better"),
        scored("winkler", "Winkler", 640, "Width of the interval and what lay outside; lower is better"),
        scored("mase", "MASE", 760, "Error by that of a day's change"),
        scored("rmse", "RMSE", 860, "Root of the mean squared error"),
      ];
  return [
    {
      key: "model", title: "Model", width: "minmax(140px, 1.6fr)", value: (row) => row.model,
      cell: (row) => <>{title(row.model)} {row.model === "persistence" && <Badge>yardstick</Badge>}{row.model === "served" && <Badge tone="accent">after the gate</Badge>}</>,
    },
    { key: "skill", title: "Skill", width: "minmax(72px, .8fr)", align: "end", hint: "Share of the yardstick's error that was saved", cell: (row) => <Signed value={skill(row)} />, value: skill },
    { key: error.name, title: error.title, width: "minmax(90px, .8fr)", align: "end", hint: error.hint, cell: (row) => significant(score(error.name)(row)), value: score(error.name) },
    ...rest,
    { key: "n", title: "Forecasts", width: "minmax(84px, .7fr)", align: "end", from: 700, cell: (row) => significant(score("n")(row), 6), value: score("n") },
  ];
}

const TONES: Record<string, "good" | "accent" | "plain"> = { champion: "good", challenger: "accent" };

export function Aliases({ version }: { version: ModelVersion }) {
  return <>{aliasesOf(version).map((alias) => <Badge key={alias} tone={TONES[alias] ?? "plain"}>{alias}</Badge>)}</>;
}

export const VERSIONS: readonly Column<ModelVersion>[] = [
  {
    key: "version", title: "Version", width: "minmax(150px, 1.8fr)", value: (row) => row.version,
    cell: (row) => <span className="grid-two"><span>{title(row.model)} <Aliases version={row} /></span><span>{row.version}</span></span>,
  },
  { key: "ts", title: "Fitted", width: "minmax(96px, 1fr)", align: "end", from: 420, csv: "fitted (UTC)", cell: (row) => utcDay(row.ts), value: (row) => row.ts },
  { key: "skill", title: "Skill", width: "minmax(72px, .8fr)", align: "end", hint: "On the walk that taught it", cell: (row) => <Signed value={skillOf(row)} />, value: skillOf },
  { key: "dm_t", title: "DM t", width: "minmax(70px, .7fr)", align: "end", hint: "Against the yardstick on that walk; the gate asks for less than -1.65", from: 480, cell: (row) => significant(score("gate_dm_t")(row) ?? score("dm_t")(row)), value: (row) => score("gate_dm_t")(row) ?? score("dm_t")(row) },
  { key: "known_at", title: "Kept", width: "minmax(106px, .9fr)", align: "end", from: 620, csv: "known_at (UTC)", cell: (row) => <Time at={row.known_at} as="ago" />, value: (row) => row.known_at },
  { key: "data_hash", title: "Data", width: "minmax(90px, .8fr)", align: "end", from: 760, csv: "data_hash", cell: (row) => <span title={row.data_hash}>{row.data_hash.slice(0, 8)}</span>, value: (row) => row.data_hash },
  { key: "code_version", title: "Code", width: "minmax(110px, 1fr)", align: "end", from: 860, cell: (row) => <span title={row.code_version}>{row.code_version}</span>, value: (row) => row.code_version },
];

const KINDS: Record<ModelEvent["kind"], "good" | "bad" | "warn" | "accent" | "plain"> = {
  trained: "plain", challenger: "accent", promoted: "good", refused: "warn", rolled_back: "bad", drift: "warn",
};

export const EVENTS: readonly Column<ModelEvent>[] = [
  {
    key: "reason", title: "What", width: "minmax(160px, 3fr)", value: (row) => row.reason,
    cell: (row) => (
      <span className="grid-two">
        <span>{title(row.model)} {row.version?.slice(0, 12)} <span className="quiet">{row.target}, {row.horizon} d</span></span>
        <span title={row.reason ?? ""}>{row.reason ?? ""}</span>
      </span>
    ),
  },
  { key: "kind", title: "Event", width: "minmax(100px, .8fr)", cell: (row) => <Badge tone={KINDS[row.kind]}>{row.kind.replace("_", " ")}</Badge>, value: (row) => row.kind },
  { key: "ts", title: "When", width: "minmax(106px, .8fr)", align: "end", from: 420, csv: "ts (UTC)", cell: (row) => <Time at={row.ts} as="ago" />, value: (row) => row.ts },
  { key: "author", title: "By", width: "minmax(100px, .8fr)", align: "end", from: 620, cell: (row) => row.author ?? "–", value: (row) => row.author },
];

/** With what the table says within other columns. */
export const EVENTS_FILE: readonly Column<ModelEvent>[] = [
  ...EVENTS,
  ...(["target", "horizon", "model", "version"] as const).map((name) => ({ key: name, title: name, width: "", cell: () => null, value: (row: ModelEvent) => row[name] })),
];
