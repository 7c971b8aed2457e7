"""Servers on the loopback: HTTPS with a certificate of its own, and S3."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(SimpleHTTPRequestHandler):
    """Serves the files of a folder and lists none; notes what was requested."""

    requested: list[str]
    answers: dict[str, Callable[[Handler], None]]

    def do_GET(self) -> None:
        self.requested.append(self.path)
        answer = self.answers.get(self.path)
        if answer is not None:
            answer(self)
        else:
            super().do_GET()

    def list_directory(self, path: Any) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        pass


class Server:
    """A server of a folder over HTTPS."""

    def __init__(self, url: str, requested: list[str],
                 answers: dict[str, Callable[[Handler], None]]) -> None:
        self.url = url
        self.requested = requested
        """The paths that were requested, in order."""
        self.answers = answers
        """What does not answer with a file: by path, what answers."""


@contextmanager
def serve_https(folder: Path, certificate: Path) -> Iterator[Server]:
    """Serve a folder over HTTPS at `localhost`."""
    requested: list[str] = []
    answers: dict[str, Callable[[Handler], None]] = {}
    handler = type("OneHandler", (Handler,), {"requested": requested, "answers": answers})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Server(f"https://localhost:{server.server_port}", requested, answers)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(path: Path) -> Path:
    """Write a certificate for `localhost`, signed by itself, and its key to one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256()))
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def serve_s3() -> Iterator[tuple[str, Any]]:
    """Start an S3 server; yield its URL, and a client that may write."""
    import boto3
    from moto.server import ThreadedMotoServer
    from werkzeug.serving import WSGIRequestHandler

    def send_response(self: Any, code: int, message: str | None = None) -> None:
        self.log_request(code)
        self.send_response_only(code, message)

    # moto names itself in a header; a second one is an error for aiohttp in development mode
    WSGIRequestHandler.send_response = send_response  # type: ignore[method-assign]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1",
                          aws_access_key_id="testing", aws_secret_access_key="testing")
    try:
        yield url, client
    finally:
        client.close()
        server.stop()


def upload(client: Any, bucket: str, folder: Path, *, public: bool = True) -> None:
    """Put the files of a folder into a bucket that anybody may read, and nobody may list."""
    client.create_bucket(Bucket=bucket)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            client.put_object(Bucket=bucket, Key=path.relative_to(folder).as_posix(),
                              Body=path.read_bytes(), ACL="public-read" if public else "private")
