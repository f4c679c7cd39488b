"""Entry point of `defimon`: collects the commands and turns errors into a message and an exit status."""

import errno
import importlib
import pkgutil
import sys

import typer

from defimon import __version__
from defimon.core.errors import DefimonError, FixSettings

FAULT = 2
"""Exit status when the input, the settings or the data have to be mended."""

UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF})
"""What a full disk or a closed place answers to standard output; such an error names no file."""


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"defimon {__version__}")
        raise typer.Exit


def _start(
    *,
    version: bool = typer.Option(  # noqa: ARG001 - its callback answers and exits
        False,
        "--version",
        help="Show the version and exit.",
        callback=lambda value: _version(wanted=value),
        is_eager=True,
    ),
) -> None:
    """Forecast DeFi yields, prove the forecasts on history, and see what acting on them would have earned."""
    from defimon.core.logs import configure_logs
    from defimon.core.settings import load_settings

    configure_logs(load_settings())


def build() -> typer.Typer:
    """The application with every command of this folder; a file `name.py` holds `name`, or `app`."""
    app = typer.Typer(name="defimon", no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_start)
    folder = importlib.import_module("defimon.apps.cli")
    for entry in sorted(pkgutil.iter_modules(folder.__path__), key=lambda entry: entry.name):
        if entry.name == "main" or entry.name.startswith("_"):
            continue
        module = importlib.import_module(f"defimon.apps.cli.{entry.name}")
        name = entry.name.rstrip("_")
        if isinstance(getattr(module, "app", None), typer.Typer):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, entry.name))
    return app


def main() -> None:
    """Run the command line."""
    try:
        build()()
    except DefimonError as error:
        _refuse(type(error).__name__, _with_variable(error))
    except OSError as error:
        if error.filename is None and error.errno in UNWRITABLE:
            _refuse(
                type(error).__name__,
                f"What defimon has to tell cannot be written ({error.strerror}). "
                "Check where its output goes and the space there.",
            )
        if error.filename is None:
            raise
        _refuse(
            type(error).__name__,
            f"{error.filename}: {error.strerror}. Check the path, its permissions and the space on its disk; "
            "DEFIMON_DATA_DIR names the folder that defimon works in.",
        )


def _with_variable(error: DefimonError) -> str:
    """The error in words, with the setting or option that leads to it unless it is named already."""
    told = str(error)
    if isinstance(error, FixSettings) and error.variable not in told:
        return f"{told} ({error.variable})"
    return told


def _refuse(kind: str, message: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    # A message repeats words of files that a stranger may have written: none of them steers the terminal.
    shown = "".join(
        sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}"
        for sign in message.expandtabs(1)
    )
    Console(stderr=True).print(f"[bold red]{kind}[/]: {escape(shown)}", soft_wrap=True, emoji=False)
    sys.exit(FAULT)
