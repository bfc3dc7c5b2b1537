"""Exits with status 0 while the role in this container is ready; loopback only, so no certificate is checked."""

import http.client
import os
import ssl
import sys

PORT = int(os.environ.get("CLEARINGHOUSE_PORT", "8443"))
PLAIN = os.environ.get("CLEARINGHOUSE_PLAIN_HTTP", "").lower() in {"1", "true", "yes", "on"}

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
connection = (
    http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    if PLAIN
    else http.client.HTTPSConnection("127.0.0.1", PORT, timeout=5, context=context)
)
try:
    connection.request("GET", "/readyz")
    sys.exit(connection.getresponse().status != 200)
except OSError as error:
    sys.exit(f"not ready: {error}")
