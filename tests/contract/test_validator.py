"""The compiled schema: one per thread, and of one mind with the table of the language."""

import threading
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from clearinghouse.ochp.bridges import losses
from clearinghouse.ochp.shape import wire_of
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4
from clearinghouse.soap.xsd import classes_of, scalars_of, schema, validator
from tests.strategies import message_classes, messages

SELECT = """<SelectEvseRequest xmlns="{}"><evseId>DE*ABC*E1</evseId><contractId>{}</contractId></SelectEvseRequest>"""
VALID = "DE-ABC-C00000001-1"


def select(version, contract_id=VALID):
    return etree.fromstring(SELECT.format(version.namespace, contract_id))


@pytest.mark.parametrize("version", ORDER)
def test_a_message_of_the_version_is_valid_and_one_of_another_is_not(version):
    for other in ORDER:
        assert validator(version).validate(select(other)) is (other is version)


def test_a_thread_keeps_its_schema():
    assert validator(V1_4) is validator(V1_4)
    assert validator(V1_4) is not validator(V1_3)


def test_threads_do_not_see_one_anothers_errors():
    barrier = threading.Barrier(4)
    logs = defaultdict(set)

    def refuse(mine):
        barrier.wait()
        for _ in range(200):
            compiled = validator(V1_4)
            assert not compiled.validate(select(V1_4, mine))
            logs[mine] |= {mine in error.message for error in compiled.error_log if "value" in error.message}

    threads = [threading.Thread(target=refuse, args=(f"nonsense-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(logs) == {f"nonsense-{number}": {True} for number in range(4)}


@pytest.mark.parametrize("version", ORDER)
def test_a_name_of_a_box_or_a_simple_type_means_one_thing(version):
    meanings = defaultdict(set)
    for field in scalars_of(version):
        name = field.box or field.simple
        if name:
            meanings[name.type_name].add((name, field.xsd, field.text))
    assert meanings
    assert {name: said for name, said in meanings.items() if len(said) > 1} == {}


@pytest.mark.parametrize("version", ORDER)
def test_each_global_name_is_declared_once(version):
    names = [(each.tag, each.get("name")) for each in schema(version)]
    assert len(set(names)) == len(names) > 20


@pytest.mark.parametrize("version", ORDER)
def test_the_messages_of_the_schema_are_those_of_the_operations(version):
    elements = {each.get("name") for each in schema(version).iterfind("{*}element")}
    assert elements == {wire_of(cls).name_at(version) for cls in message_classes(version)}
    assert set(message_classes(version)) <= set(classes_of(version))


@given(data=st.data())
@settings(max_examples=50)
@pytest.mark.parametrize("version", ORDER)
def test_a_generated_message_loses_nothing_in_its_version(version, data):
    assert losses(data.draw(messages(version)), version) == []
