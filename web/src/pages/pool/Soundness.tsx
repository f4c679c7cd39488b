/** What speaks for caution, and how sound the data behind it all are. */
import type { Forecast, HistoryRow, Pool } from "../../api/types.ts";
import { duration, figure, share, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { Time } from "../../parts/Time.tsx";
import { FLAGS, healthOf } from "./data.ts";
import { risksOf } from "./risks.ts";

export function Risks({ pool, rows, forecast }: { pool: Pool; rows: readonly HistoryRow[]; forecast: Forecast | undefined }) {
  const risks = risksOf(pool, rows, forecast);
  return (
    <Panel title="Risk flags" about="Of this pool's own figures; not an audit of its contracts">
      {risks.length === 0 && <p className="risk-none"><Icon name="check" size={18} /> None of the flags that are watched is raised.</p>}
      <ul className="risks">
        {risks.map((risk) => (
          <li key={risk.name}>
            <Badge tone={risk.severe ? "bad" : "warn"}>{risk.name}</Badge>
            <p>{risk.says}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function DataHealth({ pool, rows }: { pool: Pool; rows: readonly HistoryRow[] }) {
  const health = healthOf(rows);
  const lag = (Date.parse(pool.known_at) - Date.parse(pool.ts)) / 1000;
  return (
    <Panel title="Data health" about="Of the history that is stored">
      <dl className="facts">
        <div><dt>Newest row</dt><dd><Time at={pool.ts} as="ago" /></dd></div>
        <div><dt>Known after</dt><dd>{duration(Math.max(0, lag))}</dd></div>
        <div><dt>Source</dt><dd>{title(pool.source)} <Badge tone={pool.origin === "simulated" ? "warn" : "plain"}>{pool.origin}</Badge></dd></div>
        {health && (
          <>
            <div><dt>First day</dt><dd><Time at={health.first} as="day" /></dd></div>
            <div><dt>Observed days</dt><dd>{figure(health.observed)} of {figure(health.days)} ({share(health.observed / health.days)})</dd></div>
            <div><dt>Longest gap</dt><dd>{health.longestGap === 0 ? "none" : `${figure(health.longestGap)} d`}</dd></div>
            <div><dt>Doubted rows</dt><dd>{figure(health.flagged)} of {figure(rows.length)}</dd></div>
          </>
        )}
      </dl>
      {health && health.byFlag.length > 0 && (
        <ul className="flag-list">
          {health.byFlag.map(([flag, count]) => (
            <li key={flag}><b className="number">{figure(count)}</b> × {flag.replaceAll("_", " ")}: <span className="quiet">{FLAGS[flag] ?? "a quality rule"}</span></li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
