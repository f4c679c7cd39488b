/** Rules that watch pools, prices, series and models; what they found; who was told. */
import { useState } from "react";
import type { Channels, Kinds, MessagePage, Rule, Rules } from "../../api/alerts.ts";
import { useCaller } from "../../api/caller.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { PageProps } from "../../app/pages.ts";
import { Panel } from "../../parts/Panel.tsx";
import { Answered, Skeleton } from "../../parts/states.tsx";
import { History, Messages } from "./History.tsx";
import { RuleForm } from "./RuleForm.tsx";
import { RuleList } from "./RuleList.tsx";
import "./alerts.css";

const MESSAGES_SHOWN = 200;
const LOOK_S = 15;

export default function Alerts({ query }: PageProps) {
  const { data: caller } = useCaller();
  const [edited, setEdited] = useState<Rule>();
  const kinds = useAnswer<Kinds>("/v1/alerts/kinds");
  const rules = useAnswer<Rules>("/v1/alerts/rules");
  // Channels are told to who may keep rules.
  const channels = useAnswer<Channels>(caller && caller.scope !== "read" ? "/v1/alerts/channels" : null);
  const messages = useAnswer<MessagePage>("/v1/alerts/messages", { limit: MESSAGES_SHOWN }, LOOK_S);
  const changed = () => {
    rules.reload();
    messages.reload();
  };
  const done = () => {
    setEdited(undefined);
    changed();
  };
  const state = query.get("state") ?? "";
  return (
    <div className="page">
      <History state={state === "open" || state === "cleared" ? state : ""} />
      <div className="columns">
        <div className="stack span-7">
          <Answered of={rules} waiting={<Panel title="Rules"><Skeleton /></Panel>}>
            {(found) => <RuleList rules={found.rules} kinds={kinds.data?.kinds ?? []} onChange={changed} onEdit={setEdited} />}
          </Answered>
          <Messages answer={messages} />
        </div>
        <div className="span-5">
          <Answered of={kinds} waiting={<Skeleton height={460} />}>
            {(known) => <RuleForm key={edited?.rule_id ?? ""} kinds={known.kinds} channels={channels.data?.channels ?? []} rule={edited} onDone={done} />}
          </Answered>
        </div>
      </div>
    </div>
  );
}
