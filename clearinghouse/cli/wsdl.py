"""`clearinghouse wsdl`: write the published contract, and check that it says what the language says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clearinghouse.cli.context import plainly
from clearinghouse.soap import wsdl

app = typer.Typer(no_args_is_help=True, help="Write and check the published contract: WSDL and XSD of every version.")

Folder = Annotated[Path, typer.Option(help="The folder that holds one subfolder per version.", file_okay=False)]
HERE = Path("wsdl")


@app.command(epilog="Example: clearinghouse wsdl write --folder wsdl")
def write(folder: Folder = HERE) -> None:
    """Write the WSDL and XSD files of every version, derived from the definitions of the protocol."""
    with plainly():
        wsdl.write(folder)
    print(f"wrote {len(wsdl.published(folder))} files below {folder}")


@app.command(epilog="Example: clearinghouse wsdl check --folder wsdl")
def check(folder: Folder = HERE) -> None:
    """Fail, and name the files, if a file is missing, superfluous or not as `write` would write it."""
    stale = wsdl.stale(folder)
    for name in stale:
        print(f"stale: {folder / name}")
    if stale:
        print("run `clearinghouse wsdl write`, and delete the files that it does not write")
        raise typer.Exit(1)
    print(f"{folder} is up to date")
