"""Credentials on the wire: WS-Security user names (OCHP) and HTTP Basic pairs of tokens (OCHP-direct)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from lxml import etree

from clearinghouse.services.calls_port import Login, TokenPair
from clearinghouse.soap.faults import WSSE
from clearinghouse.soap.text import escape

PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"  # noqa: S105
LONGEST_SECRET = 1024

USERNAME_TOKEN = f"{{{WSSE}}}UsernameToken"
USERNAME = f"{{{WSSE}}}Username"
PASSWORD = f"{{{WSSE}}}Password"

SECRETS = re.compile(
    rb"(<(?:[\w.-]+:)?(?:password|accesstoken)\b[^>]*(?<!/)>).*?(?=</(?:[\w.-]+:)?(?:password|accesstoken)\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
BASIC = re.compile(r"\s*basic\s+(.*)", re.IGNORECASE | re.DOTALL)


def login(security: etree._Element) -> Login | None:
    """The user name and clear password of a Security header, or None where it carries none that can be checked.

    A password without a type is clear text; a digest cannot be checked, since only hashes of passwords are kept.
    Nonce and Created say nothing about a clear password and are not looked at.
    """
    token = security.find(USERNAME_TOKEN)
    if token is None:
        return None
    username, password = token.findtext(USERNAME), token.find(PASSWORD)
    if not username or password is None or password.get("Type", PASSWORD_TEXT) != PASSWORD_TEXT:
        return None
    secret = password.text or ""
    if len(username) > LONGEST_SECRET or len(secret) > LONGEST_SECRET:
        return None
    return Login(username.strip(), secret)


def token_pair(authorization: str | None) -> TokenPair | None:
    """The two tokens of an HTTP Basic header `receiver:sender`, split at the first colon; None where it is none.

    The encoding is the MIME one, which allows line breaks: white space does not count.
    """
    match = BASIC.fullmatch(authorization or "")
    if match is None or len(match[1]) > 2 * LONGEST_SECRET:
        return None
    try:
        text = base64.b64decode("".join(match[1].split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    receiver, colon, sender = text.partition(":")
    return TokenPair(receiver, sender) if colon else None


def security_header(credentials: Login) -> bytes:
    """The header entry that presents a user name with its password in clear text."""
    return (
        f'<wsse:Security xmlns:wsse="{WSSE}" soap:mustUnderstand="1"><wsse:UsernameToken>'
        f"<wsse:Username>{escape(credentials.username)}</wsse:Username>"
        f'<wsse:Password Type="{PASSWORD_TEXT}">{escape(credentials.password)}</wsse:Password>'
        "</wsse:UsernameToken></wsse:Security>"
    ).encode()


def basic_header(pair: TokenPair) -> Mapping[str, str]:
    """The HTTP header that presents a pair of tokens, on one line."""
    encoded = base64.b64encode(f"{pair.receiver}:{pair.sender}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def masked(message: bytes) -> bytes:
    """A message in UTF-8 with the text of every password and access token replaced by `***`."""
    return SECRETS.sub(rb"\1***", message)
