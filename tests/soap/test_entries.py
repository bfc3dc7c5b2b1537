"""Long entries in batches: cut anywhere, they say what the whole says; errors tell their place in the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from clearinghouse.ochp.shape import fields_of
from clearinghouse.ochp.versions import ORDER
from clearinghouse.soap import entries
from clearinghouse.soap.entries import Entry
from clearinghouse.soap.envelopes import SAFELY, Envelope
from clearinghouse.soap.faults import Refusal
from clearinghouse.soap.xsd import classes_of

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
HEAD = (
    '<?xml version="1.0"?>\n<s:Envelope xmlns:s="{soap}" xmlns:o="urn:o" xmlns:x="urn:x">\n'
    '<!-- <o:Set> --><s:Header/><s:Body a=">">\n<o:Set xmlns="urn:o" a="&lt;" >'
)
TAIL = "</o:Set></s:Body>\n</s:Envelope>"
RECORDS = (
    "<o:rec>{}</o:rec>",
    "<rec>{}</rec>",
    "<REC\n>{}</REC >",
    '<y:rec xmlns:y="urn:o" x:at="1">{}</y:rec>',
    '<rec xmlns="">{}</rec>',
    "<other>{}</other>",
    "<o:rec/>",
    "<rec>{}<inner>ü</inner></rec>",
    "<rec><![CDATA[</rec>{}<!--]]></rec>",
)
BETWEEN = ("", " \n", "<!-- </rec> -->", "<!--<![CDATA[-->", "<?go </rec>?>", "text >", "<![CDATA[</o:rec>]]>")


def document(*content):
    return (HEAD.format(soap=SOAP) + "".join(content) + TAIL).encode()


def begun(text, step):
    return Entry(Envelope([text[start : start + step] for start in range(0, len(text), step)]))


def spelled(element):
    return etree.tostring(element, method="c14n", exclusive=True, with_tail=False)


@given(
    st.lists(st.tuples(st.sampled_from(RECORDS), st.sampled_from(BETWEEN)), max_size=60),
    st.integers(1, 400),
    st.integers(50, 900),
)
def test_batches_say_what_the_whole_says(content, batch, step):
    text = document(*(record.format(number) + between for number, (record, between) in enumerate(content)))
    whole = etree.fromstring(text, etree.XMLParser(**SAFELY))[1][0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "BATCH", batch)
        batches = list(begun(text, step).batches("rec"))
    assert {each.tag for each in batches} == {whole.tag}
    assert [spelled(child) for each in batches for child in each] == [spelled(child) for child in whole]


def test_a_long_entry_is_cut(monkeypatch):
    monkeypatch.setattr(entries, "BATCH", 1000)
    text = document(*(f"<o:rec>{number}</o:rec>" for number in range(1000)))
    sizes = [len(each) for each in begun(text, 100).batches("rec")]
    assert len(sizes) > 10
    assert max(sizes) < 100


def test_what_cannot_be_cut_is_held_within_bounds(monkeypatch):
    monkeypatch.setattr(entries, "BATCH", 700)
    monkeypatch.setattr(entries, "MOST_HELD", 1000)
    read = []

    def steps(text):
        for start in range(0, len(text), 50):
            read.append(start)
            yield text[start : start + 50]

    endless = document("<o:rec>1</o:rec>" * 20, "<rec><!--", "</o:rec>" * 10_000)
    with pytest.raises(Refusal, match="a record of it, is larger"):
        list(Entry(Envelope(steps(endless))).batches("rec"))
    assert 900 < read[-1] - endless.index(b"<rec><!--", 200) < 1200


@pytest.mark.parametrize("version", ORDER)
def test_no_record_holds_an_element_of_its_own_name(version):
    """A record would be cut in two where it does."""
    streams = {field for cls in classes_of(version) for field in fields_of(cls, version) if field.is_stream}
    assert streams
    for field in streams:
        held, waiting = set(), [field.kind]
        while waiting:
            inner = fields_of(waiting.pop(), version)
            held |= {each.element.lower() for each in inner} | {each.box.element.lower() for each in inner if each.box}
            waiting += [each.kind for each in inner if each.is_complex]
        assert field.element.lower() not in held


@pytest.mark.parametrize("line", [3, 150, 299])
@pytest.mark.parametrize("batch", [100, 1 << 20])
def test_an_error_tells_its_place_in_the_whole(monkeypatch, line, batch):
    monkeypatch.setattr(entries, "BATCH", batch)
    records = ["\n<rec>1</rec>"] * 300
    records[line] = "\n<rec>1</rock>"
    text = document(*records)
    with pytest.raises(Refusal, match=rf"line {text[: text.index(b'</rock')].count(10) + 1}, column 1\d"):
        list(begun(text, 50).batches("rec"))


def test_an_error_behind_the_last_record_tells_its_place(monkeypatch):
    monkeypatch.setattr(entries, "BATCH", 100)
    text = document(*["\n<rec>1</rec>"] * 300).replace(b"</s:Body>", b"</s:Buddy>")
    with pytest.raises(Refusal, match=r"line 304, column 31"):
        list(begun(text, 50).batches("rec"))
