/** A table of any length: only the rows in sight are drawn. Sorted by its heads, walked with the arrow keys. */
import { type CSSProperties, type KeyboardEvent, type MouseEvent, type ReactNode, memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Link, go } from "../app/router.tsx";
import { Icon } from "../parts/Icon.tsx";
import type { Cell } from "../parts/csv.ts";
import { sorted } from "./order.ts";

export interface Column<Row> {
  key: string;
  title: string;
  /** A track of CSS grid: "96px", "minmax(160px, 2fr)". */
  width: string;
  align?: "end";
  cell: (row: Row) => ReactNode;
  /** What is sorted by and written to CSV, in the unit that `csv` names. */
  value: (row: Row) => Cell;
  /** The head of the CSV column; the title unless given. */
  csv?: string;
  /** What the figure means. */
  hint?: string;
  /** Shown from this width of the table on, in pixels. */
  from?: number;
  fixed?: boolean;
}

export interface Sort {
  key: string;
  descending: boolean;
}

/** Rows of which only those near what is in sight are here; they come in their order. */
export interface Far<Row> {
  /** Rows of another question have another name: they are shown from the top. */
  of: string;
  total: number;
  at: (index: number) => Row | undefined;
  /** The first row that was drawn when the table was last seen. */
  begin: () => number;
  /** Told which rows are in sight, from the first to before the last. */
  show: (first: number, last: number) => void;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows?: readonly Row[];
  /** In place of `rows`. */
  far?: Far<Row>;
  rowKey: (row: Row, at: number) => string;
  /** Where a row leads. */
  href?: (row: Row) => string;
  sort?: Sort | undefined;
  /** Told when the reader sorts; without it the table keeps the order itself. */
  onSort?: (sort: Sort) => void;
  /** Pixels, or any CSS length; as high as its rows unless given. */
  height?: number | string;
  rowHeight?: number;
}

/** Rows drawn above and below those in sight. */
const AROUND = 8;
/** From so many rows on only those in sight are drawn. */
const MANY = 80;
const NO_ROWS: readonly never[] = [];

export function Table<Row>(props: Props<Row>) {
  const { label, columns, rows = NO_ROWS, far, rowKey, href, onSort, height, rowHeight = 44 } = props;
  const [own, setOwn] = useState<Sort | undefined>(props.sort);
  const sort = onSort ? props.sort : own;
  const box = useRef<HTMLDivElement>(null);
  const { width, seen } = useMeasure(box);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  const moving = useRef(false);

  const shown = useMemo(() => columns.filter((column) => !column.from || width >= column.from), [columns, width]);
  const ordered = useMemo(() => sorted(rows, columns.find((one) => one.key === sort?.key), sort), [rows, columns, sort]);
  const count = far?.total ?? ordered.length;
  const rowAt = (at: number) => (far ? far.at(at) : ordered[at]);
  const virtual = height !== undefined && count > MANY;
  const first = virtual ? Math.max(0, Math.floor(top / rowHeight) - AROUND) : 0;
  const last = virtual ? Math.min(count, Math.ceil((top + seen) / rowHeight) + AROUND) : count;

  // Rows that leave on one side come back on the other with other words: making new ones is what costs.
  const drawn = Math.ceil(seen / rowHeight) + AROUND * 2 + 2;

  useLayoutEffect(() => {
    if (!moving.current) return;
    const row = box.current?.querySelector<HTMLElement>(`[aria-rowindex="${active + 2}"]`);
    // Far away it is drawn only once the table has scrolled there.
    if (!row) return;
    moving.current = false;
    row.focus({ preventScroll: true });
  }, [active, top]);

  // Who comes back finds the place that was left.
  const begin = useRef(far?.begin);
  useLayoutEffect(() => {
    const row = begin.current?.() ?? 0;
    if (row > 0) box.current?.scrollTo({ top: (row + AROUND) * rowHeight });
  }, [rowHeight]);
  const of = useRef(far?.of);
  useEffect(() => {
    if (of.current === far?.of) return;
    of.current = far?.of;
    setActive(0);
    box.current?.scrollTo({ top: 0 });
  }, [far?.of]);

  const show = far?.show;
  useEffect(() => show?.(first, last), [show, first, last]);

  const order = (column: Column<Row>) => {
    const number = column.align === "end";
    const next = { key: column.key, descending: sort?.key === column.key ? !sort.descending : number };
    setActive(0);
    box.current?.scrollTo({ top: 0 });
    (onSort ?? setOwn)(next);
  };
  const press = (event: KeyboardEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>(".grid-body [role=row]");
    if (!row) return;
    const page = Math.max(1, Math.floor(seen / rowHeight) - 2);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -count, End: count };
    const step = steps[event.key];
    if (event.key === "Enter" && href && event.target === row) {
      const one = rowAt(active);
      if (one) go(href(one));
    } else if (step !== undefined) {
      event.preventDefault();
      const next = Math.max(0, Math.min(count - 1, active + step));
      moving.current = true;
      setActive(next);
      reveal(box.current, next * rowHeight, rowHeight);
    }
  };
  const style = { "--tracks": shown.map((column) => column.width).join(" "), maxHeight: height } as CSSProperties;
  return (
    <div
      ref={box} className="grid" role="grid" aria-label={label} aria-rowcount={count + 1} aria-colcount={shown.length}
      style={style} onKeyDown={press} onScroll={virtual ? (event) => setTop(event.currentTarget.scrollTop) : undefined}
    >
      <div className="grid-head" role="rowgroup">
        <div role="row" aria-rowindex={1}>
          {shown.map((column) => <Head key={column.key} column={column} sort={sort} onOrder={order} />)}
        </div>
      </div>
      <div className={`grid-body ${virtual ? "grid-virtual" : ""}`} role="rowgroup" style={virtual ? { height: count * rowHeight } : undefined}>
        {Array.from({ length: Math.max(0, last - first) }, (_, offset) => {
          const at = first + offset;
          const row = rowAt(at);
          return (
            <Line
              key={virtual || !row ? at % drawn : rowKey(row, at)} row={row} at={at} columns={shown} to={row && href?.(row)} height={rowHeight}
              virtual={virtual} tabbed={at === active} onActive={setActive}
            />
          );
        })}
      </div>
    </div>
  );
}

interface LineProps<Row> {
  /** Undefined until it has come. */
  row: Row | undefined;
  at: number;
  columns: readonly Column<Row>[];
  to: string | undefined;
  height: number;
  virtual: boolean;
  tabbed: boolean;
  onActive: (at: number) => void;
}

function PlainLine<Row>({ row, at, columns, to, height, virtual, tabbed, onActive }: LineProps<Row>) {
  const place = virtual ? { height, transform: `translateY(${at * height}px)` } : { minHeight: height };
  return (
    <div
      role="row" aria-rowindex={at + 2} tabIndex={tabbed ? 0 : -1} style={place} data-link={to ? "" : undefined} aria-busy={row === undefined ? true : undefined}
      onFocus={() => onActive(at)} onClick={to ? (event) => follow(event, to) : undefined}
    >
      {columns.map((column, first) => (
        <div key={column.key} role="gridcell" data-end={column.align === "end" ? "" : undefined}>
          {row === undefined ? <span className="grid-blank" /> : to && first === 0 ? <Link href={to} tabIndex={-1} className="grid-link">{column.cell(row)}</Link> : column.cell(row)}
        </div>
      ))}
    </div>
  );
}

/** Drawn anew only when what it shows has changed: scrolling moves most rows as they are. */
const Line = memo(PlainLine) as typeof PlainLine;

function Head<Row>({ column, sort, onOrder }: { column: Column<Row>; sort: Sort | undefined; onOrder: (column: Column<Row>) => void }) {
  const by = sort?.key === column.key;
  const says = !by ? "none" : sort.descending ? "descending" : "ascending";
  return (
    <div role="columnheader" aria-sort={column.fixed ? undefined : says} data-end={column.align === "end" ? "" : undefined} title={column.hint}>
      {column.fixed ? <span>{column.title}</span> : (
        <button type="button" onClick={() => onOrder(column)}>
          {column.title}
          {by && <Icon name={sort.descending ? "down" : "up"} size={13} />}
        </button>
      )}
    </div>
  );
}

/** A click anywhere in a row follows its link, unless it was meant for something within, or selected text. */
function follow(event: MouseEvent, href: string): void {
  if ((event.target as HTMLElement).closest("a, button, input, label") || getSelection()?.toString()) return;
  if (event.metaKey || event.ctrlKey) open(href, "_blank", "noopener");
  else go(href);
}

/** Scroll so that a row is in sight, below the head that stays. */
function reveal(box: HTMLElement | null, top: number, height: number): void {
  if (!box) return;
  const head = box.querySelector<HTMLElement>(".grid-head")?.offsetHeight ?? 0;
  const room = box.clientHeight - head;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + height > box.scrollTop + room) box.scrollTop = top + height - room;
}

function useMeasure(box: React.RefObject<HTMLElement | null>): { width: number; seen: number } {
  const [size, setSize] = useState({ width: innerWidth, seen: innerHeight });
  useEffect(() => {
    if (!box.current) return;
    const watch = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, seen: entry.contentRect.height });
    });
    watch.observe(box.current);
    return () => watch.disconnect();
  }, [box]);
  return size;
}
