import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/shell.css";
import { listen } from "./api/live.ts";
import { begin } from "./api/shared.ts";
import { pageOf } from "./app/pages.ts";
import { placeOf } from "./app/router.tsx";
import { Shell } from "./app/Shell.tsx";

const place = placeOf(location.href);
const page = pageOf(place.page);
page?.load().catch(() => undefined);
begin(page?.asks?.(place) ?? []);
listen();
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <Shell />
  </StrictMode>,
);
