import type { PageInfo } from "../../app/pages.ts";

export default { title: "Overview", place: 10, icon: "overview", group: "Yields" } satisfies PageInfo;
