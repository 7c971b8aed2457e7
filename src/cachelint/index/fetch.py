"""Read files by path, `file:`, `https:` and `s3:`; nothing is listed but local folders."""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import time
from collections.abc import Generator
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from cachelint.model import CachelintError

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

CHUNK = 1 << 20
"""How many bytes are read at once."""

TIMEOUT = 30.0
"""Seconds that a server may keep quiet, and for which it may be slower than `MIN_RATE`."""

MIN_RATE = 2_000
"""Bytes a second that a server must send on average."""


class NotFoundError(CachelintError):
    """There is no such file."""


class AccessDeniedError(CachelintError):
    """A server allows no access; one that lists nothing also does so where there is no file."""


def is_url(location: str) -> bool:
    """Return whether a location is a URL; all else is a path."""
    return re.match(r"file:|[A-Za-z][A-Za-z0-9+.-]+:/", location) is not None


def local_path(location: str) -> str | None:
    """Return the path of a local location, None for one of a server.

    Raises:
        CachelintError: A URL of a scheme that is not read, of another host, or with a password.
    """
    if not is_url(location):
        return location
    url = urlsplit(location)
    if url.scheme == "file":
        if url.netloc not in ("", "localhost"):
            raise CachelintError(f"{location}: a file: URL of another host is not read")
        from urllib.request import url2pathname

        return url2pathname(url.path)
    if url.scheme not in ("https", "s3"):
        raise CachelintError(f"{location}: URLs of {url.scheme}: are not read: expected a path, "
                             "or a URL of file:, https: or s3:")
    if "@" in url.netloc or not url.netloc:
        raise CachelintError(f"{display(location)}: invalid URL: expected a host"
                             f"{' without a user or a password' if url.netloc else ''}")
    return None


def display(location: str) -> str:
    """Return a location without its query and password, which can be secret."""
    if not is_url(location):
        return location
    url = urlsplit(location)
    return urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, "", ""))


def join(location: str, *names: str) -> str:
    """Return the location of a file below another; a query is kept."""
    if not is_url(location):
        return os.path.join(location, *names)
    url = urlsplit(location)
    quoted = [quote(name) if url.scheme != "s3" else name for name in names]
    path = "/".join([url.path.rstrip("/"), *quoted])
    return urlunsplit((url.scheme, url.netloc, path, url.query, ""))


def read_chunks(location: str) -> Generator[bytes, None, None]:
    """Yield the bytes of a file.

    Raises:
        NotFoundError: There is no such file.
        CachelintError: It cannot be read; the message has the location and the reason.
    """
    path = local_path(location)
    if path is not None:
        yield from _read_local(path)
    elif urlsplit(location).scheme == "s3":
        yield from _read_s3(location)
    else:
        yield from _read_https(location)


def read_all(location: str, limit: int) -> bytes:
    """Return the bytes of a small file.

    Raises NotFoundError, or CachelintError where it is larger than ``limit`` or cannot be read.
    """
    read = bytearray()
    with contextlib.closing(read_chunks(location)) as chunks:
        for chunk in chunks:
            read += chunk
            if len(read) > limit:
                raise CachelintError(f"{display(location)}: larger than {limit:,} bytes")
    return bytes(read)


def _read_local(path: str) -> Generator[bytes, None, None]:
    try:
        # a pipe or a device would be waited for without end
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CachelintError(f"{path}: not a regular file")
            while chunk := file.read(CHUNK):
                yield chunk
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # a null character in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise CachelintError(f"{path}: cannot be read: {reason}") from None


# ------------------------------------------------------------------------------- https


_ERRORS = {401: AccessDeniedError, 403: AccessDeniedError, 404: NotFoundError, 410: NotFoundError}


def _read_https(location: str) -> Generator[bytes, None, None]:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError

    shown = display(location)
    try:
        with _open_https(location) as response:
            yield from _received(response, shown)
    except HTTPError as error:
        error.close()
        kind = _ERRORS.get(error.code, CachelintError)
        raise kind(f"{shown}: HTTP {error.code} {error.reason}") from None
    except URLError as error:
        raise CachelintError(f"{shown}: {_explain(error.reason)}") from None
    except _SlowServerError as error:
        raise CachelintError(f"{shown}: the server is too slow: {error}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise CachelintError(f"{shown}: {_explain(error)}") from None


def _open_https(location: str) -> IO[bytes]:
    from urllib.request import Request

    request = Request(location, headers={"Accept-Encoding": "identity", "User-Agent": "cachelint"})
    response: IO[bytes] = _opener().open(request, timeout=TIMEOUT)
    return response


def _opener() -> OpenerDirector:
    from http.client import HTTPResponse, HTTPSConnection
    from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

    class Response(HTTPResponse):
        """Reads all that a server sends, the headers included, with an eye on its speed."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.fp: io.BufferedReader = io.BufferedReader(_Watched(self.fp.detach()))

    class Connection(HTTPSConnection):
        response_class = Response

    class Handler(HTTPSHandler):
        def https_open(self, req: Request) -> HTTPResponse:
            return self.do_open(Connection, req)

    class SameServer(HTTPRedirectHandler):
        """Follow a redirect to the same server only."""

        def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any,
                             newurl: str) -> Any:
            if _server(urlsplit(newurl)) != _server(urlsplit(req.full_url)):
                raise CachelintError(f"{display(req.full_url)}: redirects to another server, "
                                     f"which is not followed: {display(newurl)}")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return build_opener(SameServer, Handler)


class _SlowServerError(Exception):
    """The message has how slow it is."""


class _Watched(io.RawIOBase):
    """What comes through a connection; a server that is too slow is an error."""

    def __init__(self, raw: io.RawIOBase) -> None:
        """Begin to measure."""
        self._raw = raw
        self._begin = time.monotonic()
        self._received = 0

    def readable(self) -> bool:
        """Return what a buffer has to know."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read once. Raises _SlowServerError."""
        number: int | None = self._raw.readinto(buffer)
        self._received += number or 0
        seconds = time.monotonic() - self._begin
        if seconds > TIMEOUT and self._received < seconds * MIN_RATE:
            raise _SlowServerError(f"{self._received:,} bytes in {seconds:.0f} seconds")
        return number

    def close(self) -> None:
        """Close the connection."""
        super().close()
        self._raw.close()


def _server(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or 443


def _received(response: Any, shown: str) -> Generator[bytes, None, None]:
    """Yield what a server sends, and make sure that it is all."""
    expected = response.headers.get("Content-Length")
    received = 0
    while chunk := response.read1(CHUNK):
        received += len(chunk)
        yield chunk
    if expected is not None and expected.isdecimal() and received != int(expected):
        raise CachelintError(f"{shown}: the connection was closed too early: "
                             f"expected {int(expected):,} bytes, found {received:,}")


def _explain(error: object) -> str:
    """Return why a server could not be read, in a few words."""
    import socket
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} seconds"
    if isinstance(error, socket.gaierror):
        return "unknown host"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection: {error.strerror}"
    return f"the server cannot be read: {error or type(error).__name__}"


# ------------------------------------------------------------------------------- s3


def _read_s3(location: str) -> Generator[bytes, None, None]:
    """Yield an object's bytes by one request; s3fs's own `open` would list the bucket."""
    sync, filesystem = _connect_s3(location)
    bucket, _, key = location.removeprefix("s3://").partition("/")
    try:
        response = filesystem.call_s3("get_object", Bucket=bucket, Key=key)
        body = response["Body"]
        try:
            while chunk := sync(filesystem.loop, body.read, CHUNK):
                yield chunk
        finally:
            body.close()
    except FileNotFoundError:
        raise NotFoundError(f"{location}: no such object") from None
    except PermissionError as error:
        raise AccessDeniedError(f"{location}: access denied: {error}") from None
    except Exception as error:  # of botocore, aiohttp and asyncio: classes of their own
        raise CachelintError(f"{location}: the bucket cannot be read: "
                             f"{error or type(error).__name__}") from None


def _connect_s3(location: str) -> tuple[Any, Any]:
    """Return fsspec's way to wait for an answer, and a file system without credentials.

    What fsspec's own configuration has about `s3` (`anon`, `endpoint_url`, `config_kwargs` and
    so on) is obeyed.
    """
    try:
        import fsspec
        import s3fs  # noqa: F401
        from fsspec.asyn import sync
        from fsspec.config import conf
    except ImportError:
        raise CachelintError(f'{location}: s3: needs fsspec and s3fs: '
                             'pip install "cachelint[remote]"') from None
    anonymous = conf.get("s3", {}).get("anon", True)
    return sync, fsspec.filesystem("s3", anon=anonymous)
