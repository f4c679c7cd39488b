import type { PoolPage } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import { percent, usd } from "../../format.ts";
import { Panel } from "../../parts/Panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { Table } from "../../table/Table.tsx";

export default function Overview() {
  const answer = useAnswer<PoolPage>("/v1/pools", { limit: 10 });
  return (
    <div className="page">
      <Panel title="Pools" flush>
        <Answered of={answer}>
          {(page) => (
            <Table
              label="Pools" rows={page.pools} rowKey={(row) => row.pool_id}
              columns={[
                { key: "symbol", title: "Pool", width: "minmax(140px, 2fr)", cell: (row) => row.symbol, value: (row) => row.symbol },
                { key: "apy", title: "APY", width: "110px", align: "end", cell: (row) => percent(row.apy), value: (row) => row.apy },
                { key: "tvl", title: "TVL", width: "110px", align: "end", cell: (row) => usd(row.tvl_usd), value: (row) => row.tvl_usd },
              ]}
            />
          )}
        </Answered>
      </Panel>
    </div>
  );
}
