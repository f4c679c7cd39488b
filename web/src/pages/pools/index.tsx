import { Skeleton } from "../../parts/states.tsx";

export default function Page() {
  return <div className="page"><Skeleton lines={8} /></div>;
}
