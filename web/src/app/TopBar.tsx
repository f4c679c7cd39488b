/** The page's name, a search for pools, whether news flow in, the key and the theme. */
import { useRef } from "react";
import { type OwnKey, useCaller } from "../api/caller.ts";
import { useKey } from "../api/key.ts";
import { type Line, useLine } from "../api/live.ts";
import { Icon } from "../parts/Icon.tsx";
import { KeyEntry } from "../parts/KeyEntry.tsx";
import { Time } from "../parts/Time.tsx";
import { PoolSearch } from "./PoolSearch.tsx";
import { switchTheme, useTheme } from "./theme.ts";

const LINES: Record<Line, string> = {
  connecting: "Connecting",
  live: "Live: changes show as they come",
  polling: "Looking once a minute",
};

export function TopBar({ title }: { title: string }) {
  const theme = useTheme();
  const line = useLine();
  return (
    <header className="top">
      <h1>{title}</h1>
      <PoolSearch />
      <span className={`line line-${line}`} role="img" aria-label={LINES[line]} title={LINES[line]} />
      <KeyButton />
      <button
        type="button" className="icon-button" onClick={switchTheme}
        aria-label={theme === "dark" ? "Light theme" : "Dark theme"} title={theme === "dark" ? "Light theme" : "Dark theme"}
      >
        <Icon name={theme === "dark" ? "sun" : "moon"} />
      </button>
    </header>
  );
}

const MAY: Record<OwnKey["scope"], string> = {
  read: "read", run: "read, run backtests and keep rules", admin: "all of it: promote models too, and see what others keep",
};

function KeyButton() {
  const key = useKey();
  const { data, problem } = useCaller();
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  const refused = key !== null && problem?.needsKey === true;
  const says = !key ? "Enter a key" : refused ? "The key is refused" : data?.name ? `Key “${data.name}”, scope ${data.scope}` : "A key is in use";
  return (
    <>
      <button
        type="button" className={`icon-button ${refused ? "icon-button-bad" : key ? "icon-button-on" : ""}`} aria-label={says} title={says}
        aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}
      >
        <Icon name="key" />
      </button>
      <dialog ref={dialog} className="dialog" aria-label="Key" onClick={(event) => { if (event.target === dialog.current) close(); }}>
        <div className="dialog-body">
          <header className="dialog-head">
            <h2>{says}</h2>
            <button type="button" className="icon-button" aria-label="Close" onClick={close}><Icon name="close" /></button>
          </header>
          {refused && problem && <p className="bad">{problem.message}</p>}
          {key && data && !refused && (
            <p>It may {MAY[data.scope]}. {data.ends_at ? <>It runs out <Time at={data.ends_at} />.</> : "It has no end."} Its id is <code>{data.key_id}</code>.</p>
          )}
          {!key && <p>Reading needs no key on the machine that serves. Running backtests, alerts and promotions does.</p>}
          <KeyEntry onDone={close} />
        </div>
      </dialog>
    </>
  );
}
