import type { PageInfo } from "../../app/pages.ts";

export default { title: "Pool", icon: "pool" } satisfies PageInfo;
