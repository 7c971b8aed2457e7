"""The commands `verify` and `render`: what they print, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cachelint.output.formats import FORMATS
from support.catalogs import GCC, TAG, ZLIB, ZSTD, contents, edit_page, write_small_mirror
from support.mirrors import V2, V2_TAG
from support.servers import make_certificate, serve_https

MIRROR = f"../mirror/{TAG}"


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_small_mirror(tmp_path / "mirror" / TAG)
    folder = tmp_path / "catalog"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run("render", "--index", MIRROR, "--tag", TAG, "--out", ".").returncode == 0
    return folder


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("CACHELINT", "GITHUB_", "FORCE_COLOR"))}
    return subprocess.run([sys.executable, "-m", "cachelint", *arguments], capture_output=True,
                          encoding="utf-8", check=False, env={**clean, **environment})


def damage(catalog: Path) -> None:
    edit_page(catalog, "zlib", lambda specs: specs[0].update(os="rhel8"))


# ------------------------------------------------------------------------------- verify


def test_verify_passes_and_fails(catalog: Path) -> None:
    done = run("verify", "--index", MIRROR)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 pages" in done.stdout
    damage(catalog)
    done = run("verify", "--index", MIRROR)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("CL903 fact-differs: os of zlib@1.3.1/aaaaaaa differs from the "
                                  'index: expected "ubuntu22.04", found "rhel8": ../mirror/')
    assert '"os": "rhel8"' in done.stdout
    assert run("verify", "--index", MIRROR, "--exit-zero").returncode == 0
    assert run("verify", "--index", MIRROR, "--ignore", "CL9").returncode == 0
    assert run("verify", "--index", MIRROR, "--select", "fact-differs").returncode == 1


def test_strict_fails_for_warnings(catalog: Path) -> None:
    tags = catalog / "_data/tags.yaml"
    tags.write_text(tags.read_text().replace("- hep", "- e4s"))
    assert run("verify", "--index", MIRROR).returncode == 0
    assert run("verify", "--index", MIRROR, "--strict").returncode == 1


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_finding(catalog: Path, name: str) -> None:
    damage(catalog)
    done = run("verify", "--index", MIRROR, "--output-format", name)
    assert (done.returncode, done.stderr) == (1, "")
    assert "CL903" in done.stdout


def test_json_and_configuration(catalog: Path) -> None:
    damage(catalog)
    Path("cachelint.toml").write_text('severity = {CL903 = "warning"}\n')
    done = run("verify", "--index", MIRROR, "--output-format", "json")
    assert done.returncode == 0
    report: dict[str, Any] = json.loads(done.stdout)
    [finding] = report["findings"]
    assert (finding["pointer"], finding["severity"]) == ("/spec_details/0/os", "warning")
    assert finding["fixable"] is False
    shown = run("verify", "--index", MIRROR, "--show-settings")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert MIRROR in shown.stdout


def test_baseline(catalog: Path) -> None:
    damage(catalog)
    done = run("verify", "--index", MIRROR, "--write-baseline", "known.json")
    assert done.returncode == 0
    assert run("verify", "--index", MIRROR, "--baseline", "known.json").returncode == 0
    edit_page(catalog, "zlib", lambda specs: specs[0].update(os="ubuntu22.04"))
    done = run("verify", "--index", MIRROR, "--baseline", "known.json")
    assert "1 entry of the baseline no longer found, such as CL903" in done.stderr


def test_one_index_and_two_tags(catalog: Path) -> None:
    run("render", "--index", MIRROR, "--tag", "develop", "--out", ".")
    done = run("verify", "--index", MIRROR)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cachelint: one index is of one tag, but 2 tags in the paths: name one tag with --tag, or "
        "its folder below _cache\n")
    assert run("verify", "--index", MIRROR, "--tag", TAG).returncode == 0


@pytest.mark.parametrize(("arguments", "message"), [
    (["--index", "missing"], "missing: no such file"),
    (["--index", "."], ".: no index in this mirror"),
    (["--index", "http://localhost/x"], "URLs of http: are not read"),
    (["--index", "_data/tags.yaml"], "_data/tags.yaml: invalid JSON"),
    (["--index", MIRROR, "--stack", "hep"], "expected a name, = and a source"),
    (["--index", MIRROR, "--stack", f"hep={MIRROR}"], 'stack "hep" has two indexes'),
    (["--index", MIRROR, "--stack", "a=b", "--stack", "a=c"], "a is given twice"),
    (["--index", MIRROR, "--view", "../up"], "invalid view"),
    (["--index", MIRROR, "--mirror", "s3://x=y"], "--mirror needs a list of tags, found a mirror"),
    ([], "--index"),
])
def test_bad_usage_is_a_sentence(catalog: Path, arguments: list[str], message: str) -> None:
    before = contents(catalog)
    for command in (["verify"], ["render", "--tag", TAG, "--out", "."]):
        done = run(*command, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert contents(catalog) == before


def test_a_damaged_index_ends_the_run(catalog: Path) -> None:
    blob = next(path for path in (catalog.parent / "mirror").rglob("blobs/*/*/*"))
    blob.write_bytes(blob.read_bytes()[:-5])
    done = run("verify", "--index", MIRROR)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the file is cut" in done.stderr


def test_an_index_over_https(catalog: Path) -> None:
    certificate = make_certificate(catalog.parent / "localhost.pem")
    with serve_https(catalog.parent, certificate) as server:
        index = f"{server.url}/mirror/{TAG}"
        trusted = {"SSL_CERT_FILE": str(certificate), "NO_PROXY": "*"}
        assert run("verify", "--index", index, **trusted).returncode == 0
        damage(catalog)
        done = run("verify", "--index", index, "--output-format", "concise", **trusted)
        assert done.returncode == 1
        assert f'found "rhel8": {server.url}/mirror/{TAG}/blobs/sha256/' in done.stdout
        assert run("verify", "--index", index, NO_PROXY="*").returncode == 2
    # the stack is one of tags.yaml, and no folder was listed
    assert any("/hep/" in path for path in server.requested)
    assert not any(path.endswith("/") for path in server.requested)


def test_text_of_an_index_cannot_write_to_a_terminal(catalog: Path) -> None:
    evil = {**ZLIB, "spec": {**ZLIB["spec"], "version": "\x1b[31m\n::error::x"}}
    write_small_mirror(catalog.parent / "mirror" / TAG, GCC, evil, ZSTD)
    for name in ("full", "concise", "github"):
        done = run("verify", "--index", MIRROR, "--output-format", name)
        assert "\x1b" not in done.stdout
        assert "\n::error::x" not in done.stdout


# ------------------------------------------------------------------------------- render


def test_render_lists_and_counts(catalog: Path) -> None:
    done = run("render", "--index", str(V2), "--tag", V2_TAG, "--out", "new", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"added    new/_cache/{V2_TAG}/data-only/specs.md\n"
        f"added    new/_cache/{V2_TAG}/lib-top/specs.md\n"
        f"added    new/_cache/{V2_TAG}/zlib-tiny/specs.md\n"
        "added    new/_data/meta.yaml\n"
        "added    new/_data/tags.yaml\n"
        f"added    new/pages/tags/{V2_TAG}.md\n"
        f"Would render {V2_TAG}: 3 pages with 8 specs in 3 stacks; 6 added, 0 changed, "
        "0 removed.\n")
    assert not Path("new").exists()
    assert run("render", "--index", MIRROR, "--tag", TAG, "--out", ".").stdout == (
        f"Rendered {TAG}: 3 pages with 3 specs in 2 stacks; 0 added, 0 changed, 0 removed.\n")
    assert run("render", "--index", MIRROR, "--tag", TAG, "--out", ".", "-q").stdout == ""


def test_a_frozen_tag_needs_force(catalog: Path) -> None:
    damage(catalog)
    before = contents(catalog)
    arguments = ["render", "--index", MIRROR, "--tag", TAG, "--out", "."]
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr == (
        f"tag {TAG} is frozen, and its pages would change: --force writes them\n")
    assert contents(catalog) == before
    assert run(*arguments, "--dry-run").returncode == 0
    Path("cachelint.toml").write_text(f'mutable-tags = ["{TAG}"]\n')
    assert run(*arguments).returncode == 0
    assert run("verify", "--index", MIRROR).returncode == 0


def test_a_long_list_is_cut(catalog: Path) -> None:
    from support.mirrors import install

    packages = [install(letter, f"package-{letter}") for letter in "bcdefghijklmnopqrstuvwxy"]
    write_small_mirror(catalog.parent / "mirror" / TAG, GCC, ZLIB, ZSTD, *packages)
    arguments = ["render", "--index", MIRROR, "--tag", "develop", "--out", "."]
    assert len(run(*arguments, "--dry-run").stdout.splitlines()) == 30
    lines = run(*arguments).stdout.splitlines()
    assert len(lines) == 22
    assert lines[20] == "… and 9 more files"
