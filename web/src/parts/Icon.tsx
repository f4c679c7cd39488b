/** Line icons on a grid of 20, drawn in the text's colour. Beside text they are decoration and say nothing. */
const PATHS = {
  overview: "M3 10.5 10 4l7 6.5M5 9v7h10V9M8.5 16v-4h3v4",
  pools: "M3 5h14M3 10h14M3 15h9",
  pool: "M10 3c3 4 5 6.200 5 9a5 5 0 0 1-10 0c0-2.800 2-5 5-9Z",
  scorecard: "M10 17a7 7 0 1 1 7-7M10 13.500a3.500 3.500 0 1 1 3.500-3.500M10 10l6.500-6.500",
  backtests: "M3 16h14M4 13l4-4 3 2.500L16.500 5M13 5h3.500v3.500",
  models: "M10 3l6.500 3.500L10 10 3.500 6.500 10 3ZM3.500 10 10 13.500l6.500-3.500M3.500 13.500 10 17l6.500-3.500",
  execution: "M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3",
  data: "M4 5.500C4 4.100 6.700 3 10 3s6 1.100 6 2.500S13.300 8 10 8 4 6.900 4 5.500ZM4 5.500v9C4 15.900 6.700 17 10 17s6-1.100 6-2.500v-9M4 10c0 1.400 2.700 2.500 6 2.500s6-1.100 6-2.500",
  alerts: "M5 13.500V9a5 5 0 0 1 10 0v4.500l1.500 1.500h-13L5 13.500ZM8.500 17h3",
  key: "M12.500 11.500a4 4 0 1 0-4-4c0 .5.1 1 .3 1.400L3.500 14v2.500H6V15h1.500v-1.500H9l1.600-1.700c.6.2 1.200.3 1.900.2ZM13.500 6.500v.01",
  sun: "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM10 2.500v1.500M10 16v1.500M2.500 10H4M16 10h1.500M4.700 4.700l1 1M14.300 14.300l1 1M15.300 4.700l-1 1M5.700 14.300l-1 1",
  moon: "M16.500 11.600A6.800 6.800 0 0 1 8.400 3.500a6.800 6.800 0 1 0 8.100 8.100Z",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13 13l4 4",
  close: "M5 5l10 10M15 5 5 15",
  menu: "M3.500 6h13M3.500 10h13M3.500 14h13",
  download: "M10 3v9M6.500 9l3.500 3.500L13.500 9M4 16.500h12",
  image: "M3.500 4.500h13v11h-13v-11ZM3.500 13l4-3.500 3 2.500 2.500-2 3.500 3M12.500 7.500v.01",
  table: "M3.500 4.500h13v11h-13v-11ZM3.500 8h13M3.500 11.700h13M8 8v7.500",
  chart: "M3.500 4v12.500H17M6.500 13l3-4 2.500 2 4-5",
  warning: "M10 3.500 17.500 16.500h-15L10 3.500ZM10 8.500v4M10 14.500v.01",
  info: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 9.500V14M10 6.500v.01",
  up: "M10 15V5M6 9l4-4 4 4",
  down: "M10 5v10M6 11l4 4 4-4",
  right: "M8 5l5 5-5 5",
  back: "M12 5l-5 5 5 5",
  check: "M4 10.500 8 14.500 16 6",
  refresh: "M16 10a6 6 0 1 1-1.800-4.300M16.500 3v3.500H13",
  play: "M6.500 4.500v11l9-5.500-9-5.500Z",
  stop: "M5.500 5.500h9v9h-9v-9Z",
  plus: "M10 4.500v11M4.500 10h11",
  trash: "M4 6h12M8 6V4h4v2M5.500 6l.7 10.500h7.600L14.500 6",
  external: "M11.500 4H16v4.500M16 4l-7 7M13.500 11v4.500h-9v-9H9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true"
      fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
