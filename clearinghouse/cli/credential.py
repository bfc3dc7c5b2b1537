"""`clearinghouse credential`: the passwords with which partners come to the house."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, administration, plainly, rows, show
from clearinghouse.ochp.plain import to_plain

app = typer.Typer(no_args_is_help=True, help="Passwords of partners; only their hashes are kept.")

COLUMNS = {
    "id": lambda each: each.id,
    "user name": lambda each: each.username,
    "created": lambda each: each.created_at,
    "expires": lambda each: each.expires_at,
    "revoked": lambda each: each.revoked_at,
}

Partner = Annotated[str, typer.Argument(help="The partner's short name.")]
Username = Annotated[str | None, typer.Option(help="The user name; the partner's name unless given.")]


@app.command(epilog="Example: clearinghouse credential issue stromkreis --json")
def issue(
    partner: Partner, username: Username = None, settings: SettingsOption = None, json: JsonOption = False
) -> None:
    """Make a further password and show it this once."""
    with plainly(), administration(settings) as admin:
        credential, password = admin.issue_credential(partner, username)
        show({**to_plain(credential), "password": password}) if json else print(_told(credential.username, password))


@app.command(epilog="Example: clearinghouse credential rotate stromkreis --overlap-hours 48")
def rotate(
    partner: Partner,
    username: Username = None,
    overlap_hours: Annotated[float, typer.Option(help="How long the old passwords still work.", min=0)] = 24,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new password; the old ones end after the overlap."""
    with plainly(), administration(settings) as admin:
        credential, password = admin.issue_credential(partner, username, timedelta(hours=overlap_hours))
        show({**to_plain(credential), "password": password}) if json else print(_told(credential.username, password))


@app.command(epilog="Example: clearinghouse credential revoke stromkreis --id 7")
def revoke(
    partner: Partner,
    credential_id: Annotated[int | None, typer.Option("--id", help="One password; all unless given.")] = None,
    settings: SettingsOption = None,
) -> None:
    """End passwords at once."""
    with plainly(), administration(settings) as admin:
        print(f"{admin.revoke_credentials(partner, credential_id)} revoked")


@app.command("list", epilog="Example: clearinghouse credential list stromkreis")
def list_(partner: Partner, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Show a partner's passwords, without the passwords."""
    with plainly(), administration(settings) as admin:
        rows(admin.credentials(partner), COLUMNS, json)


def _told(username: str, password: str) -> str:
    return f"user name: {username}\npassword:  {password}\nThis is the only time it is shown."
