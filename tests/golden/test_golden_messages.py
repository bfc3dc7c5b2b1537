"""The golden messages say what the schema asks for, and come back from the codec as they went in."""

from pathlib import Path

import pytest
from lxml import etree

from clearinghouse.ochp.operations import OPERATIONS
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.soap.codec import decode, encode
from clearinghouse.soap.xsd import validator
from tests.contract import official

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*/*.xml"))


def classes(version, operation_name):
    operation = next(each for each in OPERATIONS if each.exists_in(version) and each.name_at(version) == operation_name)
    return {"request": operation.request, "response": operation.response}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_golden_message_is_valid_and_comes_back_equal(path):
    version = Version(path.parent.name)
    name, *_, direction, _ = path.name.split(".")
    element = etree.parse(path, etree.XMLParser(remove_blank_text=True)).getroot()
    validator(version).assertValid(element)
    value = decode(classes(version, name)[direction], element, version)
    assert (
        etree.tostring(element, method="c14n").decode()
        == etree.tostring(etree.fromstring(encode(value, version)), method="c14n").decode()
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_golden_message_is_valid_in_the_official_schema(path):
    official.validator(Version(path.parent.name)).assertValid(etree.parse(path))


@pytest.mark.parametrize("version", ORDER)
def test_every_operation_has_a_golden_request_and_response(version):
    there = {path.name for path in FILES if path.parent.name == version.value}
    spoken = [each.name_at(version) for each in OPERATIONS if each.exists_in(version)]
    assert {f"{name}.{direction}.xml" for name in spoken for direction in ("request", "response")} <= there
