/** Pages are folders of src/pages: `info.ts` says how one is listed, `index.tsx` shows it and loads when asked for. */
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { IconName } from "../parts/Icon.tsx";
import type { Place } from "./router.tsx";

export interface PageInfo {
  title: string;
  /** Order in the navigation; a page without it is not listed there. */
  place?: number;
  icon: IconName;
  /** Listed under this heading. */
  group?: "Yields" | "Proof" | "Act" | "Operation";
  /** What it asks the API for, begun before its code has loaded. */
  asks?: (place: Place) => string[];
}

export interface PageProps {
  /** Words of the path after the page's own. */
  rest: string[];
  query: URLSearchParams;
}

export interface Page extends PageInfo {
  /** The folder's name; the overview is shown at the root. */
  name: string;
  href: string;
  View: LazyExoticComponent<ComponentType<PageProps>>;
  load: () => Promise<unknown>;
}

const infos = import.meta.glob<PageInfo>("../pages/*/info.ts", { eager: true, import: "default" });
const views = import.meta.glob<{ default: ComponentType<PageProps> }>("../pages/*/index.tsx");

const ROOT = "overview";

export const pages: Page[] = Object.entries(infos)
  .map(([path, info]) => {
    const name = path.split("/").at(-2) ?? "";
    const load = views[`../pages/${name}/index.tsx`];
    if (!load) throw new Error(`src/pages/${name} has an info.ts and no index.tsx`);
    return { ...info, name, href: name === ROOT ? "/" : `/${name}`, View: lazy(load), load };
  })
  .sort((one, other) => (one.place ?? 99) - (other.place ?? 99));

/** The page of a path's first word. */
export function pageOf(word: string): Page | undefined {
  return pages.find((page) => page.name === (word || ROOT));
}
