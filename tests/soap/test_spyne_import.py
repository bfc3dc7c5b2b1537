"""Spyne can be imported on every Python we support, and the rest of the process does not notice."""

import subprocess
import sys

import pytest

from clearinghouse.soap.spyne_import import MovesFinder, install, parse_header


def run(program: str) -> str:
    """What a fresh interpreter, in which every warning is an error, prints."""
    ours_aside = ["-W", "error", "-W", "ignore::DeprecationWarning"]
    done = subprocess.run([sys.executable, *ours_aside, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_spyne_and_its_soap_server_can_be_imported():
    program = """
import clearinghouse.soap
from spyne import Application, ServiceBase, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
from spyne.interface.wsdl import Wsdl11
print("imported")
"""
    assert run(program) == "imported"


def test_modules_of_the_standard_library_keep_their_own_spec():
    program = """
import clearinghouse.soap
import http.cookies
import spyne.util.six.moves.http_cookies, spyne.util.six.moves.urllib.parse
print(http.cookies.__spec__.name, http.cookies.__name__, spyne.util.six.moves.http_cookies is http.cookies)
"""
    assert run(program) == "http.cookies http.cookies True"


def test_a_module_that_does_not_exist_is_an_import_error_without_a_warning():
    program = """
import clearinghouse.soap, spyne
for name in "no_such_module", "spyne.util.six.moves.no_such_module", "spyne.util.six.movesque":
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        print(error.name)
"""
    assert run(program).split() == ["no_such_module", "spyne.util.six.moves.no_such_module", "spyne.util.six.movesque"]


def test_installing_twice_changes_nothing():
    install()
    install()
    assert sum(isinstance(finder, MovesFinder) for finder in sys.meta_path) == 1


def test_a_real_cgi_module_is_left_alone():
    program = """
import sys
sys.modules["cgi"] = real = type(sys)("cgi")
import clearinghouse.soap
print(sys.modules["cgi"] is real)
"""
    assert run(program) == "True"


HEADERS = {
    "text/xml; charset=utf-8": ("text/xml", {"charset": "utf-8"}),
    'text/xml; charset="utf-8"': ("text/xml", {"charset": "utf-8"}),
    "text/xml;Charset=UTF-8; action=x": ("text/xml", {"charset": "UTF-8", "action": "x"}),
    'multipart/related; boundary="a;b"': ("multipart/related", {"boundary": "a;b"}),
    "text/xml": ("text/xml", {}),
    "": ("", {}),
}


@pytest.mark.parametrize("line", HEADERS)
def test_the_stand_in_reads_a_header(line):
    assert parse_header(line) == HEADERS[line]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="cgi is gone from the standard library")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("line", HEADERS)
def test_the_stand_in_agrees_with_the_real_one(line):
    import cgi

    assert parse_header(line) == cgi.parse_header(line)
