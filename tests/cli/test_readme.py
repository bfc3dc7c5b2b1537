"""What the documents say is true: commands, settings, messages, the worked example, links."""

from __future__ import annotations

import base64
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from typer.main import get_command

from clearinghouse.cli import app
from clearinghouse.ochp.versions import BY_NAMESPACE
from clearinghouse.settings import Settings, load
from clearinghouse.soap.envelopes import Envelope
from clearinghouse.soap.faults import ENVELOPE
from clearinghouse.soap.security import login, token_pair
from clearinghouse.soap.xsd import validator

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "deploy").glob("*.md"))]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(language: str, *paths: Path) -> list[str]:
    """The fenced blocks of a language."""
    return [body for path in paths for kind, body in BLOCK.findall(path.read_text()) if kind == language]


def commands() -> Iterator[str]:
    """Every call of the program in a shell block."""
    for body in blocks("sh", *DOCUMENTS):
        for line in body.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\||;", line):
                if (words := part.split()) and "clearinghouse" in words[:3]:
                    yield part[part.index("clearinghouse") :].strip()


COMMANDS = sorted(set(commands()))


def test_the_documents_show_every_command():
    said = {shlex.split(command, comments=True)[1] for command in COMMANDS}
    assert said == set(get_command(app).list_commands(None)) - {"demo"}
    assert "`clearinghouse demo`" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_can_be_said(command):
    _, *words = shlex.split(command, comments=True)
    step = get_command(app)
    context = step.make_context("clearinghouse", list(words), resilient_parsing=False)
    while hasattr(step, "resolve_command"):
        _, step, words = step.resolve_command(context, [*context._protected_args, *context.args])
        context = step.make_context(step.name, list(words), parent=context)


@pytest.mark.parametrize("number", range(len(blocks("toml", *DOCUMENTS))))
def test_a_settings_file_of_the_documents_loads(number, tmp_path):
    path = tmp_path / "role.toml"
    path.write_text(blocks("toml", *DOCUMENTS)[number])
    assert load(path).role in tomllib.loads(path.read_text())["role"]


@pytest.mark.parametrize("message", blocks("xml", ROOT / "README.md"))
def test_a_message_of_the_readme_is_valid(message):
    root = etree.fromstring(message)
    entry = root.find(f"{{{ENVELOPE}}}Body")[0] if root.tag == f"{{{ENVELOPE}}}Envelope" else root
    validator(BY_NAMESPACE[etree.QName(entry).namespace]).assertValid(entry)


def test_the_security_header_of_the_readme_is_read_as_a_login():
    enveloped = next(each for each in blocks("xml", ROOT / "README.md") if "Envelope" in each)
    security = Envelope([enveloped.encode()]).head()[0]
    assert (login(security).username, login(security).password) == ("stromkreis", "secret")


def test_the_worked_example_of_the_basic_header_is_right():
    pair, header = next(
        body for kind, body in BLOCK.findall(README) if "Authorization: Basic" in body and not kind
    ).split("\n")[:2]
    assert header.removeprefix("Authorization: Basic ") == base64.b64encode(pair.encode()).decode()
    found = token_pair(header.removeprefix("Authorization: "))
    assert (found.receiver, found.sender) == tuple(pair.split(":"))
    assert f"<accessToken>{found.receiver}</accessToken>" in README


def test_the_table_of_settings_has_every_setting_with_its_default():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", (ROOT / "deploy" / "settings.md").read_text(), re.MULTILINE)
    assert rows == [(name, shown(field)) for name, field in Settings.model_fields.items()]


def shown(field) -> str:
    """A default as the table writes it."""
    if field.is_required():
        return "required"
    value = field.default
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{each.value}"' for each in value) + "]`"
    return f"`{getattr(value, 'value', value)}`"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(path):
    missing = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert not missing
