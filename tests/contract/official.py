"""Where the official contract lies, for the tests that compare ours with it."""

import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from clearinghouse.ochp.versions import Version

VARIABLE = "CLEARINGHOUSE_REFERENCE"
ROOT = Path(__file__).parents[2]
PLACE = Path("shared", "reference", "ochp")


def folder() -> Path | None:
    """The folder named by the environment, or the first of that place in a folder above the checkout."""
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    return next((above / PLACE for above in ROOT.parents if (above / PLACE).is_dir()), None)


def file(version: Version, name: str) -> Path:
    """A file of the official contract; the test is skipped where there is none at hand."""
    found = folder()
    if found is None:
        pytest.skip(
            f"the official OCHP files are not at hand: set {VARIABLE} to the folder that holds 1.3, 1.4 and 1.4.1"
        )
    path = found / version.value / name
    assert path.is_file(), f"{VARIABLE} names a folder without {version.value}/{name}"
    return path


@cache
def validator(version: Version) -> etree.XMLSchema:
    """The official schema of every message; the test is skipped where it is not at hand."""
    path = file(version, "ochp-direct.wsdl")
    schema = next(etree.parse(path).iter("{http://www.w3.org/2001/XMLSchema}schema"))
    alone = etree.fromstring(etree.tostring(schema), base_url=str(path))
    return etree.XMLSchema(etree.ElementTree(alone))
