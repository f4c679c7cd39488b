/** What happened last: jobs of the worker, the newest of each. */
import type { JobRun, Status } from "../../api/types.ts";
import type { Answer } from "../../api/useAnswer.ts";
import { Link } from "../../app/router.tsx";
import { figure, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";

const SHOWN = 8;
const TONES = { done: "good", failed: "bad", running: "accent" } as const;

export function Lately({ answer }: { answer: Answer<Status> }) {
  return (
    <Panel title="Latest runs" about="What the worker did last" actions={<Link className="button" href="/data">Data</Link>}>
      <Answered of={answer}>
        {(status) => {
          const jobs = [...status.jobs].sort((one, other) => moment(other).localeCompare(moment(one))).slice(0, SHOWN);
          return jobs.length === 0 ? (
            <Empty title="No worker has run yet"><p><code>defimon serve</code> runs one beside itself unless told not to.</p></Empty>
          ) : (
            <ul className="lately">
              {jobs.map((job) => (
                <li key={job.job}>
                  <span>{title(job.job.replaceAll(":", " "))}</span>
                  <Badge tone={TONES[job.status]}>{job.status}</Badge>
                  <span className="quiet number">{job.rows === null ? "" : `${figure(job.rows)} rows`}</span>
                  <span className="quiet"><Time at={moment(job)} as="ago" /></span>
                </li>
              ))}
            </ul>
          );
        }}
      </Answered>
    </Panel>
  );
}

function moment(job: JobRun): string {
  return job.ended_at ?? job.started_at;
}
