/** What pools would give: quotes, price impact by size, depth. */
import { useMemo } from "react";
import type { ImpactCurve, PoolQuote, Quotes } from "../../api/work.ts";
import { LineChart } from "../../chart/LineChart.tsx";
import { HUES, type Hue } from "../../chart/palette.ts";
import { percent, significant } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { type Column, Table } from "../../table/Table.tsx";

/** A token amount without zeros that say nothing, and with separators. */
export function tokens(text: string | null): string {
  if (text === null) return "–";
  const [whole = "", part = ""] = text.split(".");
  const rest = part.replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? `.${rest}` : "");
}

/** Digits enough to compare; every digit stands in the hint and in the file. */
function short(text: string | null): string {
  if (text === null) return "–";
  const [whole = "", part = ""] = text.split(".");
  const digits = Math.max(0, Math.min(7 - whole.replace(/^0$/, "").length, part.length));
  const cut = part.slice(0, whole === "0" ? part.search(/[1-9]|$/) + 5 : digits);
  return tokens(cut ? `${whole}.${cut}` : whole);
}

export function Told({ quotes, curve }: { quotes: Quotes; curve: ImpactCurve | null }) {
  const answered = quotes.quotes.filter((one) => one.bought !== null);
  const best = [...answered].sort((one, other) => Number(other.bought) / Number(other.sold) - Number(one.bought) / Number(one.sold))[0];
  return (
    <>
      {best && <Best quotes={quotes} best={best} others={answered.length - 1} />}
      {curve && curve.curve.length > 0 && <Impact curve={curve} />}
      <QuoteTable quotes={quotes} />
      {curve && curve.depth.length > 0 && <Depth curve={curve} />}
    </>
  );
}

function Best({ quotes, best, others }: { quotes: Quotes; best: PoolQuote; others: number }) {
  return (
    <Stats label="The best quote">
      <Stat label={`Sold, ${quotes.sell}`} value={<span title={tokens(best.sold)}>{short(best.sold)}</span>} note={best.partial ? "a part of what was asked" : best.title} tone={best.partial ? "warn" : "plain"} />
      <Stat label={`Bought, ${quotes.buy}`} value={<span title={tokens(best.bought)}>{short(best.bought)}</span>} note={others > 0 ? `best of ${others + 1} pools: ${best.pool}` : best.pool} />
      <Stat label="Average price" value={significant(best.average_price, 6)} note={`${quotes.buy} per ${quotes.sell}, fee included`} />
      <Stat label="Price impact" value={percent(best.impact, 3)} note="fall of the marginal price" tone={(best.impact ?? 0) > 0.01 ? "warn" : "plain"} />
      <Stat label="Slippage" value={percent(best.slippage, 3)} note="average price below the one before" />
      <Stat label={`Fee, ${best.fee_token ?? ""}`} value={<span title={tokens(best.fee)}>{short(best.fee)}</span>} note="within the price" />
    </Stats>
  );
}

function hueOf(pools: readonly string[], pool: string): Hue {
  return HUES[pools.indexOf(pool) % HUES.length] ?? "series-1";
}

function Impact({ curve }: { curve: ImpactCurve }) {
  const lines = useMemo(() => {
    const pools = [...new Set(curve.curve.map((one) => one.pool))];
    return pools.flatMap((pool) => {
      const rows = curve.curve.filter((one) => one.pool === pool);
      return [
        { name: `${pool}: impact`, points: rows.map((one) => [one.amount, one.impact] as const), hue: hueOf(pools, pool) },
        { name: `${pool}: slippage`, points: rows.map((one) => [one.amount, one.slippage] as const), hue: hueOf(pools, pool), dashed: true },
      ];
    });
  }, [curve]);
  const last = curve.curve.at(-1);
  return (
    <LineChart
      title="Price impact by size" about={`Selling ${curve.sell} for ${curve.buy}, up to three times the trade; slippage holds the fee`} x="value" xName={`${curve.sell} sold`}
      formatX={(value) => significant(value, 4)} format={percent} lines={lines} scale={false} height={340}
      summary={last ? `${significant(last.amount)} ${curve.sell} move the price by ${percent(last.impact)} in ${last.pool}.` : ""}
    />
  );
}

function QuoteTable({ quotes }: { quotes: Quotes }) {
  const columns: readonly Column<PoolQuote>[] = [
    {
      key: "pool", title: "Pool", width: "minmax(130px, 1.8fr)", value: (row) => row.pool,
      cell: (row) => <span className="grid-two"><span title={row.pool}>{row.pool} {row.partial && <Badge tone="warn" title="It fills only a part">in part</Badge>}</span><span title={row.reason}>{row.reason || row.title}</span></span>,
    },
    { key: "sold", title: `Sold`, width: "minmax(90px, 1fr)", align: "end", from: 620, csv: `sold (${quotes.sell})`, cell: (row) => <span title={tokens(row.sold)}>{short(row.sold)}</span>, value: (row) => row.sold },
    { key: "bought", title: "Bought", width: "minmax(90px, 1fr)", align: "end", csv: `bought (${quotes.buy})`, cell: (row) => <span title={tokens(row.bought)}>{short(row.bought)}</span>, value: (row) => row.bought },
    { key: "average_price", title: "Average", width: "minmax(84px, 1fr)", align: "end", from: 480, csv: "average_price", hint: `${quotes.buy} per ${quotes.sell}, fee included`, cell: (row) => significant(row.average_price, 6), value: (row) => row.average_price },
    { key: "price_before", title: "Before", width: "minmax(84px, 1fr)", align: "end", from: 700, hint: "Marginal price before the trade", cell: (row) => significant(row.price_before, 6), value: (row) => row.price_before },
    { key: "price_after", title: "After", width: "minmax(84px, 1fr)", align: "end", from: 700, hint: "Marginal price after it", cell: (row) => significant(row.price_after, 6), value: (row) => row.price_after },
    { key: "impact", title: "Impact", width: "minmax(80px, .8fr)", align: "end", csv: "impact (fraction)", cell: (row) => percent(row.impact, 3), value: (row) => row.impact },
    { key: "slippage", title: "Slippage", width: "minmax(80px, .8fr)", align: "end", from: 560, csv: "slippage (fraction)", cell: (row) => percent(row.slippage, 3), value: (row) => row.slippage },
  ];
  return (
    <Panel title="Quotes" flush about={`As the contracts would give them at block ${quotes.block}, to the last unit`} actions={<SaveCsv name="Quotes" columns={columns} rows={quotes.quotes} />}>
      <Table label="Quotes" columns={columns} rows={quotes.quotes} rowKey={(row) => row.pool} rowHeight={50} />
    </Panel>
  );
}

function Depth({ curve }: { curve: ImpactCurve }) {
  const lines = useMemo(() => {
    const pools = [...new Set(curve.depth.map((one) => one.pool))];
    return pools.map((pool) => ({
      name: pool, hue: hueOf(pools, pool), area: true,
      points: curve.depth.filter((one) => one.pool === pool).sort((one, other) => one.bps - other.bps).map((one) => [one.bps, one.amount] as const),
    }));
  }, [curve]);
  return (
    <LineChart
      title="Depth" about={`${curve.sell} that trade until the price has moved so far: sold to the left, bought to the right`} x="value" xName="Move of the price, basis points"
      formatX={(value) => `${value > 0 ? "+" : ""}${significant(value)}`} format={(value) => significant(value, 4)} lines={lines} scale={false} height={260}
      summary={`Of ${lines.length} pools, to 2 % either way.`}
    />
  );
}
