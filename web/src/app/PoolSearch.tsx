/** Search for pools from anywhere: suggestions while one types, Enter for the whole list. */
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useRef, useState } from "react";
import type { PoolPage } from "../api/types.ts";
import { useAnswer } from "../api/useAnswer.ts";
import { percent, title, usd } from "../format.ts";
import { Icon } from "../parts/Icon.tsx";
import { useSettled } from "../parts/useSettled.ts";
import { go, poolHref } from "./router.tsx";

const SUGGESTIONS = 7;
const WAIT_MS = 150;

export function PoolSearch() {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [chosen, choose] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const asked = useSettled(useDeferredValue(text.trim()), WAIT_MS);
  const { data } = useAnswer<PoolPage>(open && asked ? "/v1/pools" : null, { q: asked, limit: SUGGESTIONS });
  const found = open && asked ? (data?.pools ?? []) : [];

  useEffect(() => {
    const slash = (event: globalThis.KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);

  const leave = (href: string) => {
    setOpen(false);
    setText("");
    choose(-1);
    input.current?.blur();
    go(href);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose((one) => Math.max(-1, Math.min(found.length - 1, one + step)));
    } else if (event.key === "Escape") {
      setOpen(false);
    } else if (event.key === "Enter") {
      const pool = found[chosen];
      leave(pool ? poolHref(pool.pool_id) : `/pools?q=${encodeURIComponent(text.trim())}`);
    }
  };
  return (
    <div className="search" role="search">
      <Icon name="search" size={18} />
      <input
        ref={input} type="text" role="combobox" aria-label="Search pools" placeholder="Search pools" value={text}
        aria-expanded={found.length > 0} aria-controls={`${id}-list`} aria-autocomplete="list" autoComplete="off" spellCheck={false}
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
        onChange={(event) => { setText(event.target.value); setOpen(true); choose(-1); }}
        onFocus={() => setOpen(true)} onBlur={() => setOpen(false)} onKeyDown={press}
      />
      <kbd aria-hidden="true">/</kbd>
      <ul id={`${id}-list`} role="listbox" aria-label="Pools" hidden={found.length === 0}>
        {found.map((pool, at) => (
          <li
            key={pool.pool_id} id={`${id}-${at}`} role="option" aria-selected={at === chosen}
            onPointerDown={(event) => { event.preventDefault(); leave(poolHref(pool.pool_id)); }}
          >
            <span><b>{pool.symbol}</b> <span className="quiet">{title(pool.protocol)} · {title(pool.chain)}</span></span>
            <span className="number">{percent(pool.apy)} <span className="quiet">{usd(pool.tvl_usd)}</span></span>
          </li>
        ))}
      </ul>
    </div>
  );
}
