"""Tables of what defimon said, and how it came out."""

from defimon.core.table import Column, Table
from defimon.core.tables._columns import PROVENANCE, REAL, WHOLE, count, number, share, text, time

ROLES = ("served", "shadow")
"""What became of a forecast: given as the answer, or kept beside it to be compared when the truth arrives."""

FORECASTS = Table(
    "forecasts",
    "What defimon said about a pool's future at `ts`.",
    (
        text("pool_id", "stable name of the pool", required=True),
        time("ts", "day on which the forecast was made"),
        text("target", "name of the target plug-in", required=True),
        Column("horizon", WHOLE, "how far ahead", unit="days", low=1, high=30),
        text("model", "name of the model that answered", required=True),
        number("yhat", "point forecast, in the target's unit"),
        *(number(f"q{level:02d}", f"{level} % quantile") for level in (5, 50, 95)),
        share("p_drop20", "probability of a fall of more than 20 %"),
        number("y", "what came true; null while unknown"),
        time("refit_at", "day on which the model had last been fitted", required=False),
        text("reason", "why this model was served"),
        text("role", "given as the answer, or kept beside it; null counts as served", choices=ROLES),
        text("version", "kept model that answered; null where a walk-forward did"),
        number("yardstick", "what carrying today's value forward said; null while unknown"),
        time("said_at", "when it was said: a row keeps it when its truth comes", required=False),
        *PROVENANCE,
    ),
    ("pool_id", "ts", "target", "horizon", "model"),
)

SCORES = Table(
    "scores",
    "How a model did for a target over a walk-forward, beside the yardstick.",
    (
        text("run_id", "hash of data, settings and code", required=True),
        time("ts", "last forecast day that was scored"),
        text("target", "name of the target plug-in", required=True),
        Column("horizon", WHOLE, "how far ahead", unit="days", low=1, high=30),
        text("model", "name of the model", required=True),
        text("metric", "name of the score, such as mae or winkler", required=True),
        number("value", "the score"),
        *PROVENANCE,
    ),
    ("run_id", "target", "horizon", "model", "metric"),
)

MODEL_VERSIONS = Table(
    "model_versions",
    "A fitted model on disk: what it learnt from, and how it scored.",
    (
        text("model", "name of the model plug-in", required=True),
        text("version", "first characters of the artefact's hash", required=True),
        time("ts", "day on which it was fitted"),
        text("target", "name of the target plug-in", required=True),
        Column("horizon", WHOLE, "how far ahead", unit="days", low=1, high=30),
        text("alias", "champion, challenger or previous, if any"),
        text("data_hash", "content hash of the panel", required=True),
        text("code_version", "version of defimon", required=True),
        text("folder", "where the artefact lies", required=True),
        text("scores", "scores beside the yardstick's, as JSON"),
        *PROVENANCE,
    ),
    ("model", "version"),
)

EVENT_KINDS = ("trained", "challenger", "promoted", "refused", "rolled_back", "drift")

MODEL_EVENTS = Table(
    "model_events",
    "What happened to the models of a target: every change of what answers, and every warning.",
    (
        text("target", "name of the target plug-in", required=True),
        Column("horizon", WHOLE, "how far ahead", unit="days", low=1, high=30),
        time("ts", "when it happened"),
        text("kind", "what happened", required=True, choices=EVENT_KINDS),
        text("model", "name of the model plug-in that it is about"),
        text("version", "kept model that it is about; null where there is none"),
        text("figures", "figures that it follows from, as JSON"),
        text("reason", "why, in words"),
        text("author", "who did it: a key's name, the command line, or a job"),
        *PROVENANCE,
    ),
    ("target", "horizon", "ts", "kind"),
)

IMPACT_FIGURES = {
    "impact": "price impact of the trades",
    "shortfall": "loss against the price that was read",
    "error": "shortfall observed less forecast",
    "absolute_error": "size of that error",
    "yardstick_absolute_error": "size of the error of the exact quote on the state that was read",
    "loss": "size of the forecast's error less that of the yardstick's",
    "inside": "1 for a shortfall in the forecast interval, else 0",
}
"""What is kept of trades that were forecast, each as mean and deviation; fractions."""

IMPACT_STATISTICS = Table(
    "impact_statistics",
    "What trades on a venue came to beside what was forecast; a version at least for each day of trades.",
    (
        text("venue", "where it was traded, such as a pool's id", required=True),
        text("sell", "token sold", required=True),
        text("buy", "token bought", required=True),
        time("ts", "time of the last trade"),
        count("count", "trades so far", required=True),
        Column("weight", REAL, "sum of the trades' weights; the count where nothing is forgotten", low=0.0),
        Column("level", REAL, "level to ask of the next interval", unit="fraction", low=0.0, high=1.0),
        *(
            Column(f"{name}_{part}", REAL, f"{part} of: {doc}", unit="fraction")
            for name, doc in IMPACT_FIGURES.items()
            for part in ("mean", "deviation")
        ),
        *PROVENANCE,
    ),
    ("venue", "sell", "buy"),
)
