/** Two models by what came true of the forecasts that both gave. */
import { useState } from "react";
import type { ModelVersion } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { Comparison } from "../../api/work.ts";
import { figure, percent, significant, title } from "../../format.ts";
import { Panel } from "../../parts/Panel.tsx";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Field } from "../../parts/Field.tsx";
import { ALIASES, type Alias, holderOf } from "./words.ts";

const WALK = "walk";
const YARDSTICK = "persistence";

interface Props {
  versions: readonly ModelVersion[];
  target: string;
  horizon: number;
}

export function Versus({ versions, target, horizon }: Props) {
  // By version, not by alias: who holds an alias may change between two answers.
  const held = ALIASES.flatMap((alias) => holders(versions, alias));
  const rest = versions.filter((one) => !held.some(([version]) => version === one.version));
  const options: [string, string][] = [
    ...held, [WALK, "The walk of each day"], [YARDSTICK, "The yardstick: today's rate carried forward"],
    ...rest.map((one) => [one.version, `${title(one.model)} ${one.version.slice(0, 12)}`] as [string, string]),
  ];
  const known = (name: string, usual: string) => (options.some(([one]) => one === name) ? name : usual);
  const [chosen, choose] = useState<[string, string]>(["", ""]);
  const one = known(chosen[0], holderOf(versions, "challenger")?.version ?? WALK);
  const other = known(chosen[1], holderOf(versions, "champion")?.version ?? (one === WALK ? YARDSTICK : WALK));
  const answer = useAnswer<Comparison>("/v1/models/compare", { one, other, target, horizon });
  const pick = (at: 0 | 1, label: string, value: string) => (
    <Field label={label}>
      {(given) => (
        <select {...given} className="select" value={value} onChange={(event) => choose(at === 0 ? [event.target.value, other] : [one, event.target.value])}>
          {options.map(([name, text]) => <option key={name} value={name}>{text}</option>)}
        </select>
      )}
    </Field>
  );
  return (
    <Panel title="Side by side" about="Two models on the forecasts that both gave and whose days are over: the Diebold-Mariano test tells luck from skill">
      <div className="mo-pick">{pick(0, "This", one)}{pick(1, "Against", other)}</div>
      <Answered of={answer}>{(told) => <Outcome told={told} />}</Answered>
    </Panel>
  );
}

function holders(versions: readonly ModelVersion[], alias: Alias): [string, string][] {
  const holder = holderOf(versions, alias);
  return holder ? [[holder.version, `${title(alias)}: ${title(holder.model)} ${holder.version.slice(0, 12)}`]] : [];
}

function Outcome({ told }: { told: Comparison }) {
  if (told.forecasts === 0) {
    return (
      <Empty title="Nothing to compare yet">
        <p>A forecast counts once its {told.horizon} days are over and both have answered. The job <code>truth</code> looks every day.</p>
      </Empty>
    );
  }
  const error = told.target === "apy_drop" ? (value: number | null) => significant(value) : percent;
  const better = told.better === null ? "Nobody" : told.better === told.one ? "This one" : "The other";
  return (
    <Stats label="How they compare">
      <Stat label="Error of this" value={error(told.one_error)} note={told.one} />
      <Stat label="Error of the other" value={error(told.other_error)} note={told.other} />
      <Stat label="Error of the yardstick" value={error(told.yardstick_error)} note="today's rate carried forward" />
      <Stat label="Diebold-Mariano t" value={significant(told.dm_t)} note={told.dm_t === null ? "told from 14 days on" : "below zero: this one is better"} />
      <Stat label="Proved better" value={<span className="stat-word">{better}</span>} note="at 5 %, on 60 days or more" tone={told.better === told.one && told.better !== null ? "good" : "plain"} />
      <Stat label="Forecasts compared" value={figure(told.forecasts)} note={`of ${figure(told.days)} days, ${told.first ?? ""} to ${told.last ?? ""}`} />
    </Stats>
  );
}
