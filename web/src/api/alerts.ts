/** Answers of the API about alerts: what rules found, the rules, the messages about it. */

export interface Alert {
  alert_id: string;
  rule_id: string;
  owner: string;
  kind: string;
  subject: string;
  ts: string;
  told: string;
  value: number | null;
  unit: string | null;
  cleared_at: string | null;
  message_id: string | null;
  known_at: string;
  state: "open" | "cleared";
}

export interface AlertPage {
  alerts: Alert[];
  total: number;
  next: string | null;
}

/** A number that a rule of the kind is set to. */
export interface RuleSetting {
  name: string;
  doc: string;
  unit: string;
  low: number;
  high: number;
  default: number | null;
}

export interface Kind {
  name: string;
  doc: string;
  about: "pools" | "assets" | "series" | "models";
  unit: string;
  settings: RuleSetting[];
}

export interface Kinds {
  kinds: Kind[];
}

export interface Channels {
  channels: string[];
}

export interface Scope {
  names: string[];
  chains: string[];
  protocols: string[];
  stablecoin: boolean | null;
  min_tvl_usd: number | null;
}

export interface Rule {
  rule_id: string;
  owner: string;
  name: string;
  kind: string;
  settings: Record<string, number>;
  scope: Scope;
  channels: string[];
  enabled: boolean;
  shared: boolean;
  saved_at: string;
}

export interface Rules {
  rules: Rule[];
}

export interface Message {
  message_id: string;
  channel: string;
  rule_id: string;
  written_at: string;
  title: string;
  body: string;
  state: "waiting" | "sending" | "sent" | "failed" | "unsure";
  attempts: number;
  next_at: string | null;
  sent_at: string | null;
  error: string | null;
}

export interface MessagePage {
  messages: Message[];
  total: number;
  next: string | null;
}
