import type { PageInfo } from "../../app/pages.ts";

export default { title: "Pools", place: 20, icon: "pools", group: "Yields" } satisfies PageInfo;
