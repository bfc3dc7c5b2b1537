"""`clearinghouse api-key`: bearer keys for the JSON APIs."""

from __future__ import annotations

from typing import Annotated

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, administration, plainly, rows, show
from clearinghouse.ochp.plain import to_plain

app = typer.Typer(no_args_is_help=True, help="Bearer keys for the JSON APIs; only their hashes are kept.")

COLUMNS = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "created": lambda each: each.created_at,
    "revoked": lambda each: each.revoked_at,
}


@app.command(epilog="Example: clearinghouse api-key issue driver-app --json")
def issue(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and show it this once."""
    with plainly(), administration(settings) as admin:
        key, secret = admin.issue_key(name)
        show({**to_plain(key), "key": secret}) if json else print(f"{secret}\nThis is the only time it is shown.")


@app.command(epilog="Example: clearinghouse api-key revoke 3")
def revoke(
    key_id: Annotated[int, typer.Argument(help="The number of the key, from `api-key list`.")],
    settings: SettingsOption = None,
) -> None:
    """End a key at once."""
    with plainly(), administration(settings) as admin:
        admin.revoke_key(key_id)
        print("revoked")


@app.command("list", epilog="Example: clearinghouse api-key list")
def list_(settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Show every key, without the key."""
    with plainly(), administration(settings) as admin:
        rows(admin.keys(), COLUMNS, json)
