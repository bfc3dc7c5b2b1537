"""The command line: one module per noun, imported when the noun is said."""

from __future__ import annotations

import importlib
from keyword import iskeyword
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from clearinghouse import __version__
from clearinghouse.cli.context import SettingsOption

NOUNS = {
    "demo": "Roaming charges between real processes, told as they happen.",
    "api-key": "Bearer keys for the JSON APIs.",
    "cdr": "Charge data at the house, the claims of an operator, and what a provider was sent.",
    "certs": "Certificates for development.",
    "connection": "Roaming connections: who roams with whom.",
    "conversion": "What could not be said in a reader's version.",
    "credential": "Passwords with which partners come to the house.",
    "db": "The database: its schema and the keys of what is encrypted in it.",
    "export": "What the store has, into a file in CSV or JSON.",
    "endpoint": "Where partners listen.",
    "import": "What a file in CSV or JSON has, into the store.",
    "partner": "Companies with an account at the house.",
    "session": "Direct sessions of an operator.",
    "settlement": "What partners owe each other.",
    "token": "The tokens of OCHP-direct, day by day.",
    "wsdl": "The published contracts.",
}


class Nouns(TyperGroup):
    """Imports a noun's module when it is used, so that help and short commands start quickly."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every noun and verb, by name."""
        return sorted({*super().list_commands(ctx), *NOUNS})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The group of a noun, or a verb of this module."""
        if cmd_name not in NOUNS:
            return super().get_command(ctx, cmd_name)
        name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        module = importlib.import_module(f"clearinghouse.cli.{name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Nouns,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A roaming clearing house for EV charging: OCHP and OCHP-direct in three dialects, three roles.",
)


@app.command(epilog="Example: clearinghouse serve -s house.toml")
def serve(settings: SettingsOption = None) -> None:
    """Serve one role until it is told to stop (SIGTERM)."""
    from clearinghouse.app.serving import serve as run
    from clearinghouse.cli.context import plainly

    with plainly():
        run(settings)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False
) -> None:
    """Say who is asking for what."""
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """The program `clearinghouse`."""
    app()
