"""Fixtures: servers on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.servers import Server, make_certificate, serve_https, serve_s3


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate") / "localhost.pem")


@pytest.fixture
def https(tmp_path: Path, certificate: Path,
          monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of `tmp_path` whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "*")
    with serve_https(tmp_path, certificate) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, Any]]:
    with serve_s3() as server:
        yield server


@pytest.fixture
def s3(s3_server: tuple[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of an S3 server to which `s3:` goes, without credentials."""
    url, client = s3_server
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return client
