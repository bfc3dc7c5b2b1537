"""A house with partners that talk to it in SOAP, in whatever version they like."""

from __future__ import annotations

import threading
from datetime import timedelta

from lxml import etree

from clearinghouse.domain.errors import NotAuthenticated
from clearinghouse.domain.partners import Connection, ConnectionKind, Partner
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.bridges import fitted
from clearinghouse.ochp.cdrs import AddCdrsRequest, CheckCdrsRequest, ConfirmCdrsRequest, GetCdrsRequest
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.services.calls_port import HttpRequest, Login
from clearinghouse.services.cdr_upload import no_tariffs
from clearinghouse.services.cdrs import CdrExchange
from clearinghouse.services.conversion import Conversions
from clearinghouse.soap.codec import decode, encode
from clearinghouse.soap.faults import ENVELOPE, WSSE
from clearinghouse.soap.security import PASSWORD_TEXT
from clearinghouse.soap.server import SoapServer
from clearinghouse.soap.xsd import validator
from tests.cdr_builders import NOW

OPERATOR = Partner(name="stadtwerke", operator_ids=frozenset({"DEOPS", "DEOP2"}))
OTHER_OPERATOR = Partner(name="autohof", operator_ids=frozenset({"FROPX"}))
PROVIDER = Partner(name="fahrstrom", provider_ids=frozenset({"DEPRO", "ATPRO"}))
OTHER_PROVIDER = Partner(name="rival", provider_ids=frozenset({"FRPRX"}))
BOTH = Partner(name="both", operator_ids=frozenset({"NLBTH"}), provider_ids=frozenset({"NLBTH"}))
LONELY = Partner(name="lonely", operator_ids=frozenset({"DELNL"}), provider_ids=frozenset({"DELNL"}))
PARTNERS = (OPERATOR, OTHER_OPERATOR, PROVIDER, OTHER_PROVIDER, BOTH, LONELY)
PAIRS = (("DEOPS", "DEPRO"), ("DEOPS", "FRPRX"), ("FROPX", "DEPRO"), ("NLBTH", "DEPRO"), ("DEOPS", "NLBTH"))


def connection(operator_id, provider_id, **changes):
    agreed = {"approved_by_operator": True, "approved_by_provider": True, "kind": ConnectionKind.CDR}
    return Connection(operator_id=operator_id, provider_id=provider_id, **{**agreed, **changes})


class CdrHouse:
    """The house, its clock, and the four operations in the words of tests."""

    def __init__(self, store, tariffs_of=no_tariffs):
        self.store = store
        self.now = NOW
        with store.books() as books:
            for each in PARTNERS:
                books.partners.add(each, "ada")
            for pair in PAIRS:
                books.connections.put(connection(*pair, valid_from=NOW - timedelta(days=365)), "ada")
        self.found = []
        conversions = Conversions(store, lambda: self.now)
        exchange = CdrExchange(
            store, lambda: self.now, conversions, tariffs_of, lambda *found: self.found.append(found)
        )
        self.server = SoapServer(Role.HOUSE, exchange.handlers, self.door)

    @staticmethod
    def door(credentials, role):
        known = {each.name: each for each in PARTNERS}
        if isinstance(credentials, Login) and credentials.username in known:
            return known[credentials.username]
        raise NotAuthenticated

    def call(self, operation, request, partner, version):
        """The answer, read strictly as the version's schema has it."""
        said, _ = fitted(request, version)
        assert said is not None, f"the test's request cannot be said in {version.value}"
        answer = self.server.answer(posted(encode(said, version), partner.name, version))
        assert answer.status == 200, answer.body
        body = etree.fromstring(answer.body).find(f"{{{ENVELOPE}}}Body")[0]
        validator(version).assertValid(body)
        return decode(operation.response, body, version)

    def add(self, *cdrs, by=OPERATOR, version=V1_4_1):
        return self.call(op.ADD_CDRS, AddCdrsRequest(cdr_info_array=cdrs), by, version)

    def get(self, status=None, by=PROVIDER, version=V1_4_1):
        return self.call(op.GET_CDRS, GetCdrsRequest(cdr_status=status), by, version)

    def check(self, status=None, by=OPERATOR, version=V1_4_1):
        return self.call(op.CHECK_CDRS, CheckCdrsRequest(cdr_status=status), by, version)

    def confirm(self, approved=(), declined=(), by=PROVIDER, version=V1_4_1):
        request = ConfirmCdrsRequest(approved=tuple(approved), declined=tuple(declined))
        return self.call(op.CONFIRM_CDRS, request, by, version)

    def record(self, key):
        """What the store keeps of a CDR."""
        with self.store.books() as books:
            return books.cdrs.get([key]).get(key)

    def history(self, key):
        with self.store.books() as books:
            return books.cdrs.history(key)


def posted(body, username, version):
    security = (
        f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken><w:Username>{username}</w:Username>'
        f'<w:Password Type="{PASSWORD_TEXT}">secret</w:Password></w:UsernameToken></w:Security>'
    )
    envelope = (
        f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Header>{security}</s:Header><s:Body>{body.decode()}</s:Body></s:Envelope>'
    )
    headers = {"content-type": "text/xml; charset=utf-8"}
    return HttpRequest("POST", f"/service/ochp/{version.path}", "", headers, envelope.encode(), "https://hub.example")


def code(response):
    return response.result.result_code.value


def why(response):
    return response.result.result_description


def at_once(*actions):
    """Run these in threads that start together; their results in order."""
    gate, results = threading.Barrier(len(actions)), [None] * len(actions)

    def run(place, action):
        gate.wait()
        results[place] = action()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
