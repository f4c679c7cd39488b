/** A pool's state in, exact quotes and price impact out. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { ask } from "../../api/client.ts";
import { Problem } from "../../api/problem.ts";
import { useAct } from "../../api/useAct.ts";
import type { ImpactCurve, Quotes } from "../../api/work.ts";
import { Panel } from "../../parts/Panel.tsx";
import { Empty, ErrorState, Skeleton } from "../../parts/states.tsx";
import { type Draft, Question } from "./Question.tsx";
import { Told } from "./Told.tsx";
import { EXAMPLES, type Example, type StateDocument, exampleText, partners, read, tokenOf } from "./document.ts";
import "./execution.css";

interface Come {
  quotes: Quotes;
  curve: ImpactCurve | null;
}

const NOTHING: Draft = { text: "", example: "", sell: "", buy: "", pool: "", size: "amount", value: "1" };

export default function Execution() {
  const [draft, setDraft] = useState<Draft>(NOTHING);
  const [come, setCome] = useState<Come | null>(null);
  const act = useAct();
  const document = useMemo(() => read(draft.text), [draft.text]);
  const { run, forget } = act;

  const quote = useCallback(async (state: StateDocument, asked: Draft) => {
    const told = await run(() => quoted(state, asked));
    setCome(told ?? null);
  }, [run]);

  const take = useCallback(async (example: Example) => {
    const text = await exampleText(example.name);
    const state = read(text);
    if (typeof state === "string") return;
    const next = { ...NOTHING, text, example: example.name, sell: tokenOf(state, example.sell)?.id ?? "", buy: tokenOf(state, example.buy)?.id ?? "", value: example.amount };
    setDraft(next);
    await quote(state, next);
  }, [quote]);

  useEffect(() => {
    const first = EXAMPLES[0];
    if (first) void take(first);
  }, [take]);

  const change = (part: Partial<Draft>) => {
    if (part.text !== undefined) forget();
    setDraft((before) => settled({ ...before, ...part }));
  };
  return (
    <div className="page">
      <div className="columns">
        <div className="span-4">
          <Question
            draft={draft} document={document} busy={act.busy} problem={act.problem} onChange={change} onExample={(example) => void take(example)}
            onAsk={() => { if (typeof document !== "string") void quote(document, draft); }}
          />
        </div>
        <div className="stack span-8 ex-told" aria-busy={act.busy}>
          {act.problem && <Panel title="No answer"><ErrorState problem={act.problem} /></Panel>}
          {come && <Told quotes={come.quotes} curve={come.curve} />}
          {!come && !act.problem && (act.busy || draft.text === "" ? <Waiting /> : <Panel title="Quotes"><Empty title="Ready"><p>Choose what to sell and how much, then ask.</p></Empty></Panel>)}
        </div>
      </div>
    </div>
  );
}

function Waiting() {
  return (
    <>
      <Skeleton height={92} />
      <Skeleton height={400} />
    </>
  );
}

/** The draft with tokens and a pool that its document holds. */
function settled(draft: Draft): Draft {
  const state = read(draft.text);
  if (typeof state === "string") return draft;
  const sell = tokenOf(state, draft.sell)?.id ?? state.pools[0]?.tokens[0] ?? "";
  const others = partners(state, sell);
  const buy = others.some((one) => one.id === draft.buy) ? draft.buy : (others[0]?.id ?? "");
  return { ...draft, sell, buy, pool: state.pools.some((one) => one.id === draft.pool) ? draft.pool : "" };
}

async function quoted(state: StateDocument, asked: Draft): Promise<Come> {
  const body = {
    state: state.raw, sell: asked.sell, [asked.size]: asked.value.trim(),
    ...(asked.buy ? { buy: asked.buy } : {}),
    ...(asked.pool ? { pool: asked.pool } : {}),
  };
  const quotes = await ask<Quotes>("/v1/quotes", { method: "POST", body });
  if (!quotes.quotes.some((one) => one.bought !== null)) return { quotes, curve: null };
  try {
    return { quotes, curve: await ask<ImpactCurve>("/v1/quotes/curve", { method: "POST", body }) };
  } catch (fault) {
    // The quotes hold without their curve: a state read in part may end before three times the trade.
    if (fault instanceof Problem && fault.status > 0 && fault.status < 500) return { quotes, curve: null };
    throw fault;
  }
}
