"""A partner at the other end of a real TLS connection: certificates, and a server that behaves as it is told."""

import contextlib
import ipaddress
import itertools
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(subject, key, issuer, issuer_key, extensions, life=timedelta(days=1)):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + life)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(issuer_key, hashes.SHA256())


def pem(certificate, key=None):
    text = certificate.public_bytes(serialization.Encoding.PEM)
    if key:
        text += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    return text


class Authority:
    """A certificate authority; `bundle` is the file to trust, `server` a server's certificate for a name."""

    def __init__(self, folder, name):
        self.folder, self.key, self.name = folder, ec.generate_private_key(ec.SECP256R1()), named(name)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.root = certificate(
            self.name, self.key, self.name, self.key, [x509.BasicConstraints(True, None), identifier, usage]
        )
        self.bundle = folder / f"{name}.pem"
        self.bundle.write_bytes(pem(self.root))

    def server(self, host="127.0.0.1", life=timedelta(days=1)):
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = certificate(
            named(host), key, self.name, self.key, [x509.SubjectAlternativeName([alternative]), authority], life
        )
        path = self.folder / f"{self.name.rfc4514_string()}-{host}-{life.days}.pem"
        path.write_bytes(pem(made, key))
        return path


@contextlib.contextmanager
def partner(certificate_file, behave, newest=ssl.TLSVersion.TLSv1_3, hang_ups=0):
    """A TLS server at 127.0.0.1 that reads a request and lets `behave(connection, request)` answer; yields its URL.

    It hangs up on the first `hang_ups` connections before TLS is agreed on.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = min(newest, ssl.TLSVersion.TLSv1_2)
    context.maximum_version = newest
    context.load_cert_chain(certificate_file)
    listening = socket.create_server(("127.0.0.1", 0))
    threads, connections = [], []

    def serve(connection):
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            connections.append(secure)
            while request := whole_request(secure):
                behave(secure, request)

    def accept():
        with contextlib.suppress(OSError):
            for number in itertools.count():
                connection, _ = listening.accept()
                if number < hang_ups:
                    connection.close()
                    continue
                connection.settimeout(5)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/direct/ochp/v1.4"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def whole_request(connection):
    """The bytes of one request, or nothing at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(body, status="200 OK", headers=""):
    body = body.encode() if isinstance(body, str) else body
    length = f"Content-Length: {len(body)}\r\nContent-Type: text/xml; charset=utf-8\r\n"
    return f"HTTP/1.1 {status}\r\n{length}{headers}\r\n".encode() + body
