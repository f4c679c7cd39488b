import type { PageInfo } from "../../app/pages.ts";

export default { title: "Backtests", place: 40, icon: "backtests", group: "Proof" } satisfies PageInfo;
