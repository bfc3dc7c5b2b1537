import json
import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from typer.testing import CliRunner

from clearinghouse.cli.certs import app
from clearinghouse.http.certificates import BadCertificate, TlsFiles, describe, make, read_pair

cli = CliRunner()


def rewrite_key(files, form, encryption):
    key = load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, form, encryption))


def test_two_servers_share_the_authority_of_their_folder(tmp_path):
    first, second = make(tmp_path, "cpo", ["localhost"]), make(tmp_path, "emp", ["127.0.0.1", "emp.example"])
    leaf, authority = describe(second.certificate)
    assert authority == describe(first.certificate)[1] == describe(tmp_path / "ca.pem")[0]
    assert leaf["hosts"] == "127.0.0.1, emp.example"
    assert leaf["issuer"] == authority["subject"]


def test_keys_are_for_their_owner_alone(tmp_path):
    files = make(tmp_path, "cpo", ["localhost"])
    assert {path.stat().st_mode & 0o777 for path in (files.key, tmp_path / "ca.key")} == {0o600}


def test_a_certificate_is_not_overwritten_by_accident(tmp_path):
    files = make(tmp_path, "cpo", ["localhost"])
    before = files.certificate.read_bytes()
    with pytest.raises(FileExistsError):
        make(tmp_path, "cpo", ["localhost"])
    assert files.certificate.read_bytes() == before
    make(tmp_path, "cpo", ["localhost"], force=True)
    assert files.certificate.read_bytes() != before


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_a_key_in_any_usual_form_is_read_as_pkcs8(tmp_path, form):
    files = make(tmp_path, "cpo", ["localhost"])
    rewrite_key(files, form, NoEncryption())
    assert read_pair(files).key.startswith(b"-----BEGIN PRIVATE KEY-----")


def test_an_rsa_key_in_pkcs1_is_not_the_key_of_another_certificate(tmp_path):
    files = make(tmp_path, "cpo", ["localhost"])
    key = rsa.generate_private_key(65537, 2048)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    with pytest.raises(BadCertificate, match=r"cpo\.key is not the key of the first certificate"):
        read_pair(files)


def test_an_encrypted_key_is_refused_by_name(tmp_path):
    files = make(tmp_path, "cpo", ["localhost"])
    rewrite_key(files, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    with pytest.raises(BadCertificate, match="is encrypted"):
        read_pair(files)


@pytest.mark.parametrize(("what", "text"), [("certificate", "no PEM certificate"), ("key", "no PEM private key")])
def test_half_a_file_is_refused_by_name(tmp_path, what, text):
    files = make(tmp_path, "cpo", ["localhost"])
    path = getattr(files, what)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(BadCertificate, match=rf"{path.name} holds {text}"):
        read_pair(files)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(BadCertificate, match=r"none\.pem cannot be read: No such file"):
        read_pair(TlsFiles(certificate=tmp_path / "none.pem", key=tmp_path / "none.key"))


def test_the_command_line_makes_and_shows(tmp_path):
    stated = ["make", "--folder", str(tmp_path), "--name", "cpo", "--host", "localhost", "--host", "::1"]
    assert cli.invoke(app, stated).exit_code == 0
    again = cli.invoke(app, stated)
    assert again.exit_code == 1
    assert "--force replaces it" in again.output
    shown = cli.invoke(app, ["show", str(tmp_path / "cpo.pem"), "--json"])
    assert json.loads(shown.output)[0]["hosts"] == "localhost, ::1"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cpo.pem", tmp_path / "cpo.key")


@pytest.mark.parametrize("name", ["ca", "../cpo", "a/b"])
def test_a_name_that_would_hit_another_file_is_refused(tmp_path, name):
    with pytest.raises(BadCertificate, match="cannot be the name"):
        make(tmp_path, name, ["localhost"])
