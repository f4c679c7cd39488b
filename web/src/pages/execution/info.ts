import type { PageInfo } from "../../app/pages.ts";

export default { title: "Execution", place: 50, icon: "execution", group: "Act" } satisfies PageInfo;
