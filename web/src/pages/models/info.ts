import type { PageInfo } from "../../app/pages.ts";

export default { title: "Models", place: 35, icon: "models", group: "Proof" } satisfies PageInfo;
