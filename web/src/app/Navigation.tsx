/** All pages at the side of a wide screen, the first ones at the bottom of a phone. */
import { useRef } from "react";
import { Icon } from "../parts/Icon.tsx";
import { type Page, pages } from "./pages.ts";
import { Link } from "./router.tsx";

const listed = pages.filter((page) => page.place !== undefined);
const groups = [...new Set(listed.map((page) => page.group))];
/** As many as a phone's width holds beside "More". */
const AT_THE_BOTTOM = 4;

function Item({ page, current, onGo }: { page: Page; current: boolean; onGo?: () => void }) {
  return (
    <Link
      href={page.href} className="nav-item" aria-current={current ? "page" : undefined} title={page.title}
      onPointerEnter={() => { page.load().catch(() => undefined); }} {...(onGo ? { onClick: onGo } : {})}
    >
      <Icon name={page.icon} />
      <span>{page.title}</span>
    </Link>
  );
}

function Groups({ current, onGo }: { current: string | undefined; onGo?: () => void }) {
  return groups.map((group) => (
    <div className="nav-group" key={group ?? ""}>
      {group && <p className="nav-heading">{group}</p>}
      {listed.filter((page) => page.group === group).map((page) => (
        <Item key={page.name} page={page} current={page.name === current} {...(onGo ? { onGo } : {})} />
      ))}
    </div>
  ));
}

function Mark() {
  return (
    <Link href="/" className="mark" aria-label="defimon, to the overview">
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="mark-ground" />
        <path d="M6 22.5c3.600 0 4.200-9 7.600-9s3.400 5.400 6 5.400S23 9 26 9" className="mark-line" />
        <circle cx="26" cy="9" r="2.600" className="mark-dot" />
      </svg>
      <span>defimon</span>
    </Link>
  );
}

/** `current` is the page's name; the pool page belongs to Pools. */
export function Navigation({ current }: { current: string | undefined }) {
  return (
    <nav className="side" aria-label="Pages">
      <Mark />
      <Groups current={parent(current)} />
    </nav>
  );
}

export function PhoneNavigation({ current }: { current: string | undefined }) {
  const sheet = useRef<HTMLDialogElement>(null);
  const close = () => sheet.current?.close();
  const own = parent(current);
  return (
    <>
      <nav className="bottom" aria-label="Main pages">
        {listed.slice(0, AT_THE_BOTTOM).map((page) => <Item key={page.name} page={page} current={page.name === own} />)}
        <button type="button" className="nav-item" aria-haspopup="dialog" onClick={() => sheet.current?.showModal()}>
          <Icon name="menu" />
          <span>More</span>
        </button>
      </nav>
      <dialog ref={sheet} className="sheet" aria-label="All pages" onClick={(event) => { if (event.target === sheet.current) close(); }}>
        <div className="sheet-body">
          <header className="dialog-head">
            <h2>All pages</h2>
            <button type="button" className="icon-button" aria-label="Close" onClick={close}><Icon name="close" /></button>
          </header>
          <Groups current={own} onGo={close} />
        </div>
      </dialog>
    </>
  );
}

function parent(name: string | undefined): string | undefined {
  return name === "pool" ? "pools" : name;
}
