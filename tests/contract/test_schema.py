"""Our schema says what the official one says, type by type, for every version."""

import pytest
from lxml import etree

from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1
from clearinghouse.soap.wsdl import SCHEMA_FILE, documents
from tests.contract import official
from tests.contract.schemas import XS, declared, differences, read, said

STRING_255 = ("{http://www.w3.org/2001/XMLSchema}string", frozenset({("maxLength", "255")}))

DEVIATIONS = {
    V1_3: {
        ("ControlEvseResponse/directId", "minOccurs"): ("1", "0"),  # OCHP-direct 0.1, ControlEvse.conf: cardinality 1
        ("ReleaseEvseResponse/directId", "minOccurs"): ("1", "0"),  # OCHP-direct 0.1, ReleaseEvse.conf: cardinality 1
        # OCHP-direct 0.1, DirectEndpoint: namespaceUrl is a string(255), without an enumeration
        ("DirectEndpoint/namespaceUrl", "type"): ((*STRING_255, ()), (*STRING_255, (V1_3.namespace,))),
    },
    V1_4: {},
    V1_4_1: {},
}
"""Where our contract differs from the official one on purpose: what ours says, what theirs says."""


COUNTS = [85, 102, 105]
"""Types and elements of the official schemas, by version; a smaller count would mean that a file was not read."""


def ours(version):
    return declared(etree.fromstring(documents(version)[SCHEMA_FILE]))


@pytest.mark.parametrize("version", ORDER)
def test_each_type_and_element_says_what_the_official_one_says(version):
    theirs = read(official.file(version, "ochp-direct.wsdl"))
    mine = ours(version)
    assert mine.keys() == theirs.keys()
    assert differences(said(mine), said(theirs)) == DEVIATIONS[version]


def test_the_official_schemas_have_as_many_types_and_elements_as_are_compared():
    assert [len(read(official.file(version, "ochp-direct.wsdl"))) for version in ORDER] == COUNTS


@pytest.mark.parametrize("version", ORDER)
def test_elements_are_qualified_with_the_namespace_of_the_version(version):
    schema = etree.fromstring(documents(version)[SCHEMA_FILE])
    theirs = next(etree.parse(official.file(version, "ochp-direct.wsdl")).iter(f"{XS}schema"))
    for aspect in "targetNamespace", "elementFormDefault", "attributeFormDefault":
        assert schema.get(aspect) == theirs.get(aspect)


EDITS = {
    "an occurrence": ('name="directId" type="tns:DirectId" minOccurs="0"', 'name="directId" type="tns:DirectId"'),
    "a facet": ('maxLength value="2000"', 'maxLength value="2001"'),
    "a pattern": ("[A-Z0-9\\-]*", "[A-Z0-9]*"),
    "a nillable": (' nillable="true"', ""),
    "a choice": ("xs:choice", "xs:sequence"),
    "an attribute": ('name="minor"', 'name="minus"'),
    "a use": ('use="required"', 'use="optional"'),
    "a base": ('base="tns:DirectEndpoint"', 'base="tns:Result"'),
    "a value": ('enumeration value="info"', 'enumeration value="news"'),
    "a type": ('type="xs:float"', 'type="xs:double"'),
    "an order": ('name="maxPower"', 'name="maxPower2"'),
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_comparison_would_see(edit):
    text = documents(V1_4)[SCHEMA_FILE].decode()
    assert EDITS[edit][0] in text
    edited = etree.fromstring(text.replace(*EDITS[edit]).encode())
    assert differences(said(ours(V1_4)), said(declared(edited)))
