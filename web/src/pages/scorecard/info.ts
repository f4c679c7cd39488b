import type { PageInfo } from "../../app/pages.ts";

export default { title: "Scorecard", place: 30, icon: "scorecard", group: "Proof" } satisfies PageInfo;
