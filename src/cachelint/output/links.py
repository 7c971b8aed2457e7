"""Links from a report to the lines of files on a code host."""

from __future__ import annotations

import os
import re
from urllib.parse import quote

from cachelint.files import paths
from cachelint.model import CachelintError, NamedTuple
from cachelint.output.formats import folder_in, in_checkout


class Source(NamedTuple):
    """The repository and the commit that were checked."""

    repository: str
    """Its address: ``https://github.com/spack/cache.spack.io``."""
    commit: str
    base: str
    """What precedes a path in the address of a file; empty for an unknown host."""
    folder: str
    """Leads from the top of the checkout to the working directory; empty or with a final slash."""

    def url_of(self, path: str, line: int) -> str:
        """Return the address of a line, or an empty string."""
        if not self.base:
            return ""
        file = quote(in_checkout(self.folder, path), errors="surrogateescape")
        return f"{self.base}{file}#L{line}"


_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[^@/]*@)?(?P<host>[\w.-]+\.\w+)(?::\d+/|[:/])(?P<path>[^?#\s]+)")
_FILES = (("gitlab", "/-/blob/"), ("github", "/blob/"), ("codeberg", "/src/commit/"))
"""Parts of the names of hosts, with what precedes the commit in the address of a file."""


def find_source() -> Source | None:
    """Find out what is checked: from the variables of a CI service, or from git."""
    env = os.environ
    if env.get("GITHUB_REPOSITORY") and env.get("GITHUB_SHA"):
        server = env.get("GITHUB_SERVER_URL", "https://github.com")
        return _make(f"{server}/{env['GITHUB_REPOSITORY']}", env["GITHUB_SHA"], "/blob/",
                     folder_in("GITHUB_WORKSPACE"))
    if env.get("CI_PROJECT_URL") and env.get("CI_COMMIT_SHA"):
        return _make(env["CI_PROJECT_URL"], env["CI_COMMIT_SHA"], "/-/blob/",
                     folder_in("CI_PROJECT_DIR"))
    return _query_git()


def _query_git() -> Source | None:
    top = paths.find_top(".")
    if top is None:
        return None
    from cachelint.files import git

    try:
        remote = git.query(top, "remote", "get-url", "origin")
        commit = git.query(top, "rev-parse", "--verify", "--quiet", "HEAD")
    except CachelintError:  # git is not installed
        return None
    match = _REMOTE.fullmatch(remote or "")
    if match is None or not commit:
        return None
    # a name and a password in the address of a remote stay out of reports
    path = match["path"].strip("/").removesuffix(".git")
    files = next((files for name, files in _FILES if name in match["host"]), "")
    below = os.path.relpath(os.path.realpath("."), top)
    return _make(f"https://{match['host']}/{path}", commit, files,
                 "" if below == "." else f"{below}/")


def _make(repository: str, commit: str, files: str, folder: str) -> Source | None:
    """Return a source, if its address is one that a browser may follow."""
    if not re.fullmatch(r"https?://[^\s\"'<>]+", repository) or not commit.isalnum():
        return None
    return Source(repository, commit, f"{repository}{files}{commit}/" if files else "", folder)
