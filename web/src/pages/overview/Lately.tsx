/** What changed last: runs of the worker's jobs, and what happened to models. */
import type { ModelEvent, Status } from "../../api/types.ts";
import type { Answer } from "../../api/useAnswer.ts";
import { Link } from "../../app/router.tsx";
import { figure, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";
import type { Tone } from "../../parts/Stat.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";

/** Of each kind: jobs run all the time and would crowd out what is rare. */
const JOBS_SHOWN = 6;
const EVENTS_SHOWN = 3;

interface Item {
  key: string;
  at: string;
  name: string;
  word: string;
  tone: Tone | "accent";
  note: string;
}

const JOBS = { done: "good", failed: "bad", running: "accent" } as const;
const EVENTS: Record<ModelEvent["kind"], Item["tone"]> = {
  trained: "plain", challenger: "accent", promoted: "good", refused: "plain", rolled_back: "warn", drift: "warn",
};

function items(status: Status, events: readonly ModelEvent[]): Item[] {
  const jobs = status.jobs.map((job): Item => ({
    key: `job ${job.job}`, at: job.ended_at ?? job.started_at, name: title(job.job.replaceAll(":", " ")), word: job.status, tone: JOBS[job.status],
    note: job.status === "failed" ? job.error : job.rows === null ? "" : `${figure(job.rows)} rows`,
  }));
  const models = events.map((event): Item => ({
    key: `model ${event.ts} ${event.kind} ${event.target} ${event.horizon} ${event.version}`, at: event.ts,
    name: `${title(event.model)} for ${title(event.target)}`, word: event.kind.replaceAll("_", " "), tone: EVENTS[event.kind], note: event.reason ?? "",
  }));
  const newest = (found: Item[], most: number) => found.sort((one, other) => other.at.localeCompare(one.at)).slice(0, most);
  return newest([...newest(jobs, JOBS_SHOWN), ...newest(models, EVENTS_SHOWN)], JOBS_SHOWN + EVENTS_SHOWN);
}

export function Lately({ status, events }: { status: Answer<Status>; events: readonly ModelEvent[] }) {
  return (
    <Panel title="Latest changes" about="Runs of the worker, and what happened to models" actions={<Link className="button" href="/data">Data</Link>}>
      <Answered of={status}>
        {(told) => {
          const found = items(told, events);
          return found.length === 0 ? (
            <Empty title="No worker has run yet"><p><code>defimon serve</code> runs one beside itself unless told not to.</p></Empty>
          ) : (
            <ul className="lately">
              {found.map((item) => (
                <li key={item.key} title={item.note}>
                  <span className="grid-two"><span>{item.name}</span><span>{item.note || " "}</span></span>
                  <Badge tone={item.tone}>{item.word}</Badge>
                  <span className="quiet"><Time at={item.at} as="ago" /></span>
                </li>
              ))}
            </ul>
          );
        }}
      </Answered>
    </Panel>
  );
}

