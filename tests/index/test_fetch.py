"""Reading files from servers that are right, slow, broken or hostile."""

from __future__ import annotations

import os
import re
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachelint.index import fetch
from cachelint.index.fetch import NotFoundError, join, read_all, read_chunks
from cachelint.model import CachelintError
from support.servers import Handler, Server, upload

LIMIT = 1 << 20


def send(handler: Handler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def close_early(handler: Handler) -> None:
    send(handler, 200, b"half", Content_Length="8")


def keep_quiet(handler: Handler) -> None:
    time.sleep(2)


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_headers(handler: Handler) -> None:
    for _ in range(40):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n"[_:_ + 1] or b"a")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_in_a_chunk(handler: Handler) -> None:
    handler.protocol_version = "HTTP/1.1"
    send(handler, 200, Transfer_Encoding="chunked")
    for _ in range(40):
        handler.wfile.write(b"1")
        handler.wfile.flush()
        time.sleep(0.05)


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"\x00\x01\x02\r\n\r\n")


def redirect_to(url: str) -> Callable[[Handler], None]:
    return lambda handler: send(handler, 302, Location=url, Content_Length="0")


def test_reads_a_file(https: Server, tmp_path: Path) -> None:
    (tmp_path / "a file").write_bytes(b"contents")
    url = join(https.url, "a file")
    assert read_all(url, LIMIT) == b"contents"
    assert https.requested == ["/a%20file"]


def test_follows_a_redirect_to_the_same_server(https: Server, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"contents")
    https.answers["/old"] = redirect_to(f"{https.url}/new")
    assert read_all(f"{https.url}/old", LIMIT) == b"contents"


@pytest.mark.parametrize("target", [
    "https://other.example/x", "https://localhost:1/x", "http://localhost/x", "file:///etc/passwd",
    "ftp://localhost/x",
])
def test_follows_no_redirect_elsewhere(https: Server, target: str) -> None:
    https.answers["/old"] = redirect_to(target)
    with pytest.raises(CachelintError, match=r"redirects to another server|is not allowed"):
        read_all(f"{https.url}/old", LIMIT)


@pytest.mark.parametrize(("answer", "message"), [
    (close_early, "the connection was closed too early: expected 8 bytes, found 4"),
    (keep_quiet, "no answer within 0.5 seconds"),
    (drip, "the server is too slow: "),
    (drip_headers, "the server is too slow: "),
    (drip_in_a_chunk, "the server is too slow: "),
    (no_http, "the server cannot be read: "),
    (lambda handler: handler.send_error(500), "HTTP 500 Internal Server Error"),
    (lambda handler: handler.send_error(403), "HTTP 403 Forbidden"),
    (redirect_to("/broken"), "HTTP 302 "),
    (lambda handler: send(handler, 200, b"x" * (LIMIT + 1)), "larger than 1,048,576 bytes"),
])
def test_explains_a_broken_server(
    https: Server, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Handler], None], message: str
) -> None:
    monkeypatch.setattr(fetch, "TIMEOUT", 0.5)
    https.answers["/broken"] = answer
    with pytest.raises(CachelintError) as raised:
        read_all(f"{https.url}/broken?token=secret", LIMIT)
    # a query can be a signature
    assert str(raised.value).startswith(f"{https.url}/broken: ")
    https.answers["/broken?token=secret"] = answer
    with pytest.raises(CachelintError) as raised:
        read_all(f"{https.url}/broken?token=secret", LIMIT)
    assert str(raised.value).startswith(f"{https.url}/broken: {message}")
    assert "secret" not in str(raised.value)


def test_lists_no_folder_of_a_server(https: Server, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CachelintError, match="HTTP 403"):
        read_all(f"{https.url}/folder/", LIMIT)


def test_a_missing_file_is_distinguished(https: Server) -> None:
    with pytest.raises(NotFoundError, match="HTTP 404 File not found"):
        read_all(f"{https.url}/missing", LIMIT)


def test_trusts_no_unknown_certificate(https: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert ssl.get_default_verify_paths().openssl_cafile_env == "SSL_CERT_FILE"
    with pytest.raises(CachelintError, match="the certificate is not trusted: self-signed"):
        read_all(f"{https.url}/x", LIMIT)


def test_explains_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(CachelintError, match="no connection: Connection refused"):
        read_all("https://localhost:1/x", LIMIT)
    with pytest.raises(CachelintError, match="unknown host"):
        read_all("https://no-such-host.invalid/x", LIMIT)


@pytest.mark.parametrize(("location", "message"), [
    ("http://localhost/x", "URLs of http: are not read"),
    ("ftp://localhost/x", "URLs of ftp: are not read"),
    ("oci://localhost/x", "URLs of oci: are not read"),
    ("file://other.example/etc/passwd", "a file: URL of another host is not read"),
    ("https://user:secret@localhost/x", "without a user or a password"),
    ("https:///x", "invalid URL: expected a host"),
])
def test_refuses_other_urls(location: str, message: str) -> None:
    with pytest.raises(CachelintError, match=message) as raised:
        read_all(location, LIMIT)
    assert "secret" not in str(raised.value)


# ------------------------------------------------------------------------------- local files


def test_reads_a_path_and_a_file_url(tmp_path: Path) -> None:
    path = tmp_path / "a b"
    path.write_bytes(b"contents")
    for location in (str(path), path.as_uri(), f"file://localhost{path.as_uri()[7:]}"):
        assert read_all(location, LIMIT) == b"contents"


def test_reads_regular_files_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    cases = {"pipe": "not a regular file", "": "Is a directory|not a regular file",
             "missing": "no such file", "pipe/below": "no such file", "a\0b": "cannot be read"}
    for name, message in cases.items():
        with pytest.raises(CachelintError, match=message):
            read_all(str(tmp_path / name), LIMIT)
    with pytest.raises(CachelintError, match="not a regular file"):
        read_all("/dev/zero", LIMIT)


# ------------------------------------------------------------------------------- s3


def test_reads_an_object_without_listing(
    s3: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "x.json").write_bytes(b"contents" * 300_000)
    upload(s3, "reads", tmp_path)
    caplog.set_level("INFO", "werkzeug")
    caplog.clear()
    assert b"".join(read_chunks("s3://reads/x.json")) == b"contents" * 300_000
    with pytest.raises(NotFoundError, match="s3://reads/missing: no such object"):
        read_all("s3://reads/missing", LIMIT)
    with pytest.raises(CachelintError, match="s3://no-such-bucket/x: "):
        read_all("s3://no-such-bucket/x", LIMIT)
    requests = [re.findall(r"(?:GET|HEAD) \S+", record.getMessage())
                for record in caplog.records if record.name == "werkzeug"]
    assert requests == [["GET /reads/x.json"], ["GET /reads/missing"], ["GET /no-such-bucket/x"]]


def test_has_no_access_to_what_is_private(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")
    upload(s3, "private", tmp_path, public=False)
    with pytest.raises(CachelintError, match=r"s3://private/x.json: access denied"):
        read_all("s3://private/x.json", LIMIT)


def test_reports_what_s3_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(CachelintError, match=r'pip install "cachelint\[remote\]"'):
        read_all("s3://bucket/x", LIMIT)
