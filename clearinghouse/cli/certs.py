"""Certificates for development: `clearinghouse certs make` and `certs show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clearinghouse.cli.context import fail, plainly

app = typer.Typer(help="Make and read certificates.", no_args_is_help=True)


@app.command(epilog="Example: clearinghouse certs make --folder certs --name house --host localhost")
def make(
    folder: Annotated[Path, typer.Option(help="Where the files are; the authority ca.pem too.")],
    name: Annotated[str, typer.Option(help="The server's name: NAME.pem and NAME.key are made.")],
    host: Annotated[list[str], typer.Option(help="A host name or address it serves; may be repeated.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the server's certificate and key.")] = False,
) -> None:
    """Make a development authority, where there is none, and a server certificate signed by it."""
    from clearinghouse.http import certificates

    with plainly():
        try:
            files = certificates.make(folder, name, host, force=force)
        except FileExistsError as error:
            fail(f"{error}; --force replaces it")
        typer.echo(f"authority    {folder / certificates.AUTHORITY}.pem")
        typer.echo(f"certificate  {files.certificate}")
        typer.echo(f"key          {files.key}")


@app.command(epilog="Example: clearinghouse certs show certs/house.pem --json")
def show(
    file: Annotated[Path, typer.Argument(help="A file of PEM certificates.")],
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show what the certificates in a file say."""
    from clearinghouse.http import certificates

    with plainly():
        described = certificates.describe(file)
    if as_json:
        typer.echo(json.dumps(described, indent=2))
        return
    for certificate in described:
        for what, text in certificate.items():
            typer.echo(f"{what:8} {text}")
        typer.echo()
