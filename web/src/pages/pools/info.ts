import type { PageInfo } from "../../app/pages.ts";
import { asQuestion, filtersOf, sortOf } from "./filters.ts";
import { VALUES, chunkAddress } from "./asks.ts";

export default {
  title: "Pools", place: 20, icon: "pools", group: "Yields",
  asks: ({ query }) => [chunkAddress(asQuestion(filtersOf(query), sortOf(query)), 0), VALUES],
} satisfies PageInfo;
