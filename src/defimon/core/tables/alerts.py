"""Tables of alerts: rules, what they found, and messages about it."""

from defimon.core.table import Column, Table
from defimon.core.tables._columns import FLAG, PROVENANCE, count, number, text, time

ALERT_RULES = Table(
    "alert_rules",
    "What somebody wants to be told of.",
    (
        text("rule_id", "name of the rule, made up when it was saved first", required=True),
        time("ts", "when it was saved"),
        text("owner", "name on the key that saved it", required=True),
        text("name", "what its owner calls it", required=True),
        text("kind", "name of the plug-in that judges", required=True),
        text("settings", "numbers of that plug-in, as JSON", required=True),
        text("scope", "what it looks at, as JSON", required=True),
        text("channels", "names of the channels that are told, as JSON", required=True),
        Column("enabled", FLAG, "it is judged", nullable=True),
        Column("shared", FLAG, "whoever may read sees its alerts", nullable=True),
        Column("removed", FLAG, "its owner took it away", nullable=True),
        *PROVENANCE,
    ),
    ("rule_id",),
)

ALERTS = Table(
    "alerts",
    "A cause that a rule found: one row as long as it lasts.",
    (
        text("rule_id", "rule that found it", required=True),
        text("subject", "pool, asset, series or model that it is about", required=True),
        time("ts", "when what was found was true"),
        text("alert_id", "hash of the three before", required=True),
        text("owner", "whose rule it is", required=True),
        text("kind", "kind of the rule", required=True),
        text("told", "what was found, in words", required=True),
        number("value", "the figure that was found; null where there is none"),
        text("unit", "unit of the figure"),
        text("message_id", "message that tells of it; null where no channel is told"),
        time("cleared_at", "when it was over; null while it lasts", required=False),
        Column("shared", FLAG, "its rule was shared then; who sees it depends on it now", nullable=True),
        *PROVENANCE,
    ),
    ("rule_id", "subject", "ts"),
)

MESSAGE_STATES = ("waiting", "sending", "sent", "failed", "unsure")
"""To be sent; being sent; arrived; given up; its worker vanished while it was sent: not sent again."""

ALERT_MESSAGES = Table(
    "alert_messages",
    "A message to one channel about alerts of one rule; the row decides which worker sends it.",
    (
        time("ts", "when it was written"),
        text("message_id", "hash of the alerts that it tells of", required=True),
        text("channel", "name of the channel", required=True),
        text("rule_id", "rule that found them", required=True),
        text("title", "its first line", required=True),
        text("body", "the rest of it", required=True),
        text("state", "how it stands", required=True, choices=MESSAGE_STATES),
        count("attempts", "how often it was tried to send", required=True),
        time("next_at", "when to try again, or until when it is being sent", required=False),
        time("sent_at", "when the channel took it", required=False),
        text("error", "why it was not taken last, without the channel's address"),
        *PROVENANCE,
    ),
    ("ts", "message_id", "channel"),
)
