import type { PageInfo } from "../../app/pages.ts";

export default { title: "Data", place: 80, icon: "data", group: "Operation" } satisfies PageInfo;
