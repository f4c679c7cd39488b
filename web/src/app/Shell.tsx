/** What is around every page: navigation, search, theme, key, and the notice that data are simulated. */
import { Suspense, useEffect, useRef } from "react";
import { useAnswer } from "../api/useAnswer.ts";
import type { PoolPage } from "../api/types.ts";
import { Empty, Skeleton } from "../parts/states.tsx";
import { ErrorBoundary } from "../parts/ErrorBoundary.tsx";
import { Navigation, PhoneNavigation } from "./Navigation.tsx";
import { TopBar } from "./TopBar.tsx";
import { pageOf } from "./pages.ts";
import { Link, useHref, usePlace } from "./router.tsx";

export function Shell() {
  const href = useHref();
  const place = usePlace();
  const page = pageOf(place.page);
  const main = useRef<HTMLElement>(null);
  const path = href.split("?")[0] ?? "";
  const first = useRef(true);

  useEffect(() => {
    document.title = page ? `${page.title} · defimon` : "Not found · defimon";
    // A reader with a keyboard goes on in the new page, and a screen reader says its name.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path, page]);

  return (
    <div className="shell">
      <a className="skip" href="#content" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        Skip to the content
      </a>
      <Navigation current={page?.name} />
      <div className="shell-main">
        <TopBar title={page?.title ?? "Not found"} />
        <SimulatedNotice />
        <main id="content" ref={main} tabIndex={-1} aria-label={page?.title ?? "Not found"}>
          <ErrorBoundary of={href}>
            <Suspense fallback={<PageSkeleton />}>
              {page ? <page.View rest={place.rest} query={place.query} /> : <NotFound />}
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <PhoneNavigation current={page?.name} />
    </div>
  );
}

function PageSkeleton() {
  return (
    <div className="page">
      <Skeleton height={92} />
      <Skeleton height={360} />
    </div>
  );
}

function NotFound() {
  return (
    <div className="page">
      <Empty title="There is no such page" action={<Link className="button" href="/">To the overview</Link>}>
        <p>The address may be mistyped, or from another version.</p>
      </Empty>
    </div>
  );
}

function SimulatedNotice() {
  const { data } = useAnswer<PoolPage>("/v1/pools", { limit: 1 });
  if (data?.pools[0]?.origin !== "simulated") return null;
  return (
    <aside className="simulated" aria-label="Simulated data">
      <p>
        <strong>Simulated data.</strong> These rows come from the embedded sample: real contracts on a local chain under
        seeded actors. They show how the product works and say nothing about any market.
      </p>
    </aside>
  );
}
