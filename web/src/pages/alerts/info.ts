import type { PageInfo } from "../../app/pages.ts";

export default { title: "Alerts", place: 60, icon: "alerts", group: "Act" } satisfies PageInfo;
