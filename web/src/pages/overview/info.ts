import type { PageInfo } from "../../app/pages.ts";
import { ASKS } from "./asks.ts";

export default { title: "Overview", place: 10, icon: "overview", group: "Yields", asks: () => Object.values(ASKS) } satisfies PageInfo;
