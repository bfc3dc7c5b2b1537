"""TLS, certificates that change, graceful ends: with real processes."""

import os
import shutil
import signal
import socket
import ssl
import threading
import time
import warnings
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from clearinghouse.http import certificates
from clearinghouse.http.certificates import TlsFiles
from clearinghouse.http.serve import CertificateWatch, Listening, serve
from tests.http.conftest import answers, running, until

SOAP = "/service/ochp/v1.4"
QUICK = {"watch_seconds": 0.2, "overlap_seconds": 1.0, "factory": "served:bare"}


def shown_serial(server):
    """The serial number of the certificate that a new connection sees."""
    with server.raw() as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True)).serial_number


def serial_of(files):
    return x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)],
)
def test_only_tls_1_2_and_1_3_are_spoken(server, version, accepted):
    context = server.trust
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with socket.create_connection(("localhost", server.port), timeout=5) as plain:
        if accepted:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                assert connection.version() == version.replace("_", ".")
        else:
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                context.wrap_socket(plain, server_hostname="localhost")


def test_a_new_certificate_is_served_without_a_restart_and_nothing_under_way_is_lost(tmp_path):
    with running(tmp_path, **QUICK) as server:
        files = TlsFiles(certificate=tmp_path / "server.pem", key=tmp_path / "server.key")
        before = shown_serial(server)
        assert before == serial_of(files)
        received = []
        long = threading.Thread(
            target=lambda: received.append(
                httpx.post(server.url + SOAP, content=b"sleep 4", verify=server.trust, timeout=20)
            )
        )
        long.start()
        time.sleep(0.3)
        certificates.make(tmp_path, "server", ["localhost"], force=True)
        began = time.monotonic()
        assert until(lambda: shown_serial(server) == serial_of(files))
        assert until(lambda: all(shown_serial(server) == serial_of(files) for _ in range(5)))
        assert time.monotonic() - began < 4, "the long request was still under way"
        assert received == []
        long.join()
        assert received[0].status_code == 200
        assert server.process.poll() is None


def test_a_broken_pair_is_logged_and_the_old_one_kept(tmp_path):
    with running(tmp_path, **QUICK) as server:
        files = TlsFiles(certificate=tmp_path / "server.pem", key=tmp_path / "server.key")
        before = shown_serial(server)
        good = files.key.read_bytes()
        files.key.write_bytes(good[:80])
        assert until(lambda: "the old one is kept" in server.log.read_text())
        worker = workers_of(server)
        server.process.send_signal(signal.SIGHUP)
        assert until(lambda: len(workers_of(server)) == 1 and workers_of(server) != worker)
        assert shown_serial(server) == before
        assert server.log.read_text().count("the old one is kept") == 1
        files.key.write_bytes(good)
        assert shown_serial(server) == before


def test_a_worker_that_dies_is_replaced(tmp_path):
    with running(tmp_path, **QUICK) as server:
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGKILL)
        assert until(lambda: workers_of(server) not in ([], [worker]))
        assert until(lambda: answers(server.port, "localhost"))
        with server.client() as client:
            assert client.get("/healthz").status_code == 200
        assert server.process.poll() is None


CORES = sorted(os.sched_getaffinity(0))


def core_of(worker):
    return sorted(os.sched_getaffinity(worker))


@pytest.mark.skipif(not 1 < len(CORES) <= 16, reason="workers for one core, or for very many")
def test_a_worker_for_each_core_keeps_to_its_core_and_so_does_its_successor(tmp_path):
    alone = [[core] for core in CORES]
    with running(tmp_path, workers=len(CORES), **QUICK) as server:
        assert until(lambda: sorted(map(core_of, workers_of(server))) == alone)
        killed = workers_of(server)[0]
        os.kill(killed, signal.SIGKILL)
        assert until(lambda: killed not in workers_of(server) and len(workers_of(server)) == len(CORES))
        assert until(lambda: sorted(map(core_of, workers_of(server))) == alone)


@pytest.mark.skipif(not 1 < len(CORES) <= 16, reason="workers for one core, or for very many")
def test_fewer_workers_than_cores_go_wherever_there_is_room(tmp_path):
    with running(tmp_path, workers=len(CORES) - 1, **QUICK) as server:
        assert {tuple(core_of(worker)) for worker in workers_of(server)} == {tuple(CORES)}


def test_workers_do_not_outlive_the_process_that_started_them(tmp_path):
    with running(tmp_path, **QUICK) as server:
        server.process.kill()
        assert until(lambda: not answers(server.port, "localhost"), 5)


def test_a_stop_while_workers_start_is_not_lost(tmp_path):
    with running(tmp_path, wait=False, workers=2, **QUICK | {"factory": "served:slow"}) as server:
        assert until(lambda: len(workers_of(server)) == 2)
        server.process.terminate()
        assert server.process.wait(5) == 0
    assert "refused to gracefully stop" not in server.log.read_text()


def test_a_second_server_on_the_same_port_is_refused(server):
    with pytest.raises(OSError, match=f"cannot listen at 127.0.0.1 port {server.port}: Address already in use"):
        serve("served:bare", Listening(port=server.port, plain_http=True))


def workers_of(server):
    pid = server.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_stop_lets_requests_under_way_finish(tmp_path):
    with running(tmp_path, **QUICK) as server:
        received = []
        thread = threading.Thread(
            target=lambda: received.append(httpx.post(server.url + SOAP, content=b"sleep 1", verify=server.trust))
        )
        thread.start()
        time.sleep(0.3)
        server.process.terminate()
        thread.join()
        assert received[0].status_code == 200
        assert server.process.wait(10) == 0


@pytest.mark.parametrize("kind", ["PKCS#1", "SEC 1"])
def test_keys_in_old_forms_are_served(tmp_path, kind):
    files = certificates.make(tmp_path, "old", ["localhost"])
    key = load_pem_private_key(files.key.read_bytes(), None)
    if kind == "PKCS#1":
        key = rsa.generate_private_key(65537, 2048)
        sign_with(tmp_path, files, key)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    with running(tmp_path, tls={"certificate": str(files.certificate), "key": str(files.key)}, **QUICK) as server:
        assert shown_serial(server) == serial_of(files)


def sign_with(folder, files, key):
    """The same certificate for another key."""
    old, authority = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    builder = x509.CertificateBuilder(
        authority.subject,
        old.subject,
        key.public_key(),
        old.serial_number,
        old.not_valid_before_utc,
        old.not_valid_after_utc,
    )
    for extension in old.extensions:
        if extension.oid != x509.SubjectKeyIdentifier.oid:
            builder = builder.add_extension(extension.value, extension.critical)
    signer = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    signed = builder.sign(signer, hashes.SHA256())
    files.certificate.write_bytes(signed.public_bytes(Encoding.PEM))


def test_plain_http_has_to_be_asked_for(tmp_path):
    with pytest.raises(ValueError, match="plain HTTP has to be asked for"):
        Listening()
    with running(tmp_path, plain_http=True, factory="served:bare") as server, server.client() as client:
        assert client.post(SOAP, content=b"x").json()["base_url"] == server.url


def answered(server):
    """How many calls of the operation the figures show."""
    with server.client() as client:
        lines = client.get("/metrics").text.splitlines()
    shown = (line for line in lines if line.startswith('clearinghouse_requests_total{operation="Sel'))
    return sum(float(line.rpartition(" ")[2]) for line in shown)


def test_several_workers_show_the_sum_of_their_figures(tmp_path):
    with running(tmp_path, workers=2, **QUICK) as server:
        for _ in range(12):
            with server.client() as client:
                client.post(SOAP, content=b"<x/>")
        assert until(lambda: answered(server) == 12)


def test_a_head_that_never_ends_is_not_waited_for(tmp_path):
    with running(tmp_path, header_seconds=0.5, **QUICK) as server, server.raw() as slow, server.raw() as idle:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nhost: local")
        idle.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        began = time.monotonic()
        while slow.recv(1000):
            pass
        while idle.recv(1000):
            pass
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(("host", "address"), [("localhost", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1")])
def test_hosts_are_names_or_addresses_of_either_kind(tmp_path, host, address):
    with running(tmp_path, address=address, host=host, plain_http=True, factory="served:bare") as server:
        shown = f"[{address}]" if ":" in address else address
        assert httpx.get(f"http://{shown}:{server.port}/healthz").status_code == 200


def test_no_private_key_stays_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with running(tmp_path, **QUICK):
        (private,) = (tmp_path / "tmp").glob("clearinghouse-*")
        assert private.stat().st_mode & 0o077 == 0
        assert (private / "tls-0" / "key.pem").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "tmp").glob("clearinghouse-*")) == []


def test_each_new_pair_is_announced_once(tmp_path):
    files = certificates.make(tmp_path, "server", ["localhost"])
    presented, announced = [], []
    watch = CertificateWatch(files, tmp_path, presented.append)
    watch.load()
    watch.load()
    assert len(presented) == 1
    certificates.make(tmp_path, "server", ["localhost"], force=True)
    thread = threading.Thread(target=watch.run, args=(0.01, lambda: announced.append(1)))
    thread.start()
    assert until(lambda: announced)
    time.sleep(0.1)
    watch.stop()
    thread.join()
    assert announced == [1]
    watch.reload()
    assert presented[1].certificate.read_bytes() == files.certificate.read_bytes()
    shutil.rmtree(tmp_path / "tls-1")
