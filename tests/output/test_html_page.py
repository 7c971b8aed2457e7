"""The page of a report in a real browser: it filters, finds, and loads nothing.

Needs Chromium and its driver, as Debian packages them: `apt-get install chromium chromium-driver`.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from cachelint.model import Excerpt, Report
from cachelint.output import html
from cachelint.output.formats import PLAIN
from cachelint.text import escape_unsafe
from support import reports

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars")
WIDE, PHONE = (1280, 800), (390, 844)


def write(path: Path, report: Report) -> Path:
    path.write_text("".join(html.write(report, PLAIN)), encoding="ascii")
    return path


# ------------------------------------------------------------------------------- the browser


class Page:
    """A report in the browser, and what a person does there."""

    def __init__(self, browser: Chrome, file: Path) -> None:
        self.browser = browser
        self.address = file.as_uri()

    def open(self, view: str = "") -> Page:
        self.browser.get("about:blank")
        self.browser.get(self.address + view)
        return self

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def read_all(self, selector: str) -> list[str]:
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)",
            selector)
        return found

    def text(self, selector: str) -> str:
        [text] = self.read_all(selector)
        return text

    def until(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.browser, 20, poll_frequency=0.05).until(lambda _: condition())

    def press(self, *keys: str) -> None:
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def choose(self, field: str, option: str) -> None:
        Select(self.one(f"#{field}")).select_by_visible_text(option)

    def search(self, text: str) -> None:
        before = self.text("#count")
        self.one("#q").clear()
        self.one("#q").send_keys(text)
        self.until(lambda: self.text("#count") != before)

    @property
    def count(self) -> str:
        return self.text("#count")

    @property
    def chosen(self) -> str:
        """The message of the finding that is chosen in the list."""
        return self.text("[role=option][aria-selected=true] .message")

    @property
    def view(self) -> str:
        """The part of the address that selects what is shown."""
        return self.browser.current_url.partition("#")[2]

    @property
    def focus(self) -> str:
        focus: str = self.run("return document.activeElement.id")
        return focus

    def media(self, theme: str = "light", media: str = "") -> None:
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "media": media, "features": [{"name": "prefers-color-scheme", "value": theme}]})

    def size(self, width: int, height: int) -> None:
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})


def installed() -> tuple[str, str] | None:
    """Return the browser and its driver; None where one of them is not there."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next((path for path in map(shutil.which, names) if path), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    programs = installed()
    if programs is None:
        missing = "needs a browser: apt-get install chromium chromium-driver (on Debian)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    options = ChromeOptions()
    options.binary_location, driver = programs
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = Chrome(options, Service(driver))
    try:
        yield running
    finally:
        running.quit()


@pytest.fixture
def page(browser: Chrome, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open reports, and check at the end that nothing was loaded and nothing went wrong."""
    opened: set[str] = set()

    def show(report: Report, view: str = "", size: tuple[int, int] = WIDE) -> Page:
        shown = Page(browser, write(tmp_path / "report.html", report))
        shown.media()
        shown.size(*size)
        opened.add(shown.address)
        return shown.open(view)

    log(browser, "browser")
    requests(browser)
    yield show
    assert log(browser, "browser") == []
    assert requests(browser) <= opened
    browser.execute_script("try { localStorage.clear() } catch { }")


def log(browser: Chrome, kind: str) -> list[str]:
    """Return what the browser logged since the last call."""
    return [entry["message"] for entry in browser.get_log(kind)]  # type: ignore[no-untyped-call]


def requests(browser: Chrome) -> set[str]:
    """Return what the browser loaded, except for its own window."""
    messages = [json.loads(entry)["message"] for entry in log(browser, "performance")]
    addresses = {message["params"]["request"]["url"].partition("#")[0] for message in messages
                 if message["method"] == "Network.requestWillBeSent"}
    return {address for address in addresses
            if not address.startswith(("about:", "chrome:", "chrome-untrusted:", "data:"))}


# ------------------------------------------------------------------------------- loading


def test_it_loads_and_shows_everything(page: Any) -> None:
    shown = page(reports.SMALL)
    assert requests(shown.browser) == {shown.address}
    assert shown.browser.title == "cachelint: " + (
        "Found 3 errors and 2 warnings in 12 pages (3 fixable with \"cachelint fix\"); "
        "3 findings suppressed by the baseline.")
    assert shown.count == "5 findings"
    by_severity = sorted(reports.SMALL.findings, key=lambda finding: finding.severity.value)
    assert shown.read_all("[role=option] .message") == [finding.message for finding in by_severity]
    assert shown.read_all("#packages th") == ["zlib", "bzip2"]
    assert shown.read_all("#packages td.count") == ["2", "3", "1", "1"]
    assert shown.chosen == "a hash that is none"
    assert shown.all("noscript")[0].is_displayed() is False
    assert shown.read_all("#heat thead th") == ["Tag", "CL301", "CL401", "CL505", "CL603", "All"]
    assert shown.read_all("#heat tbody tr") == [
        "develop1113", "v0.23.111", "outside of tags11"]
    assert shown.read_all("#heat tfoot td") == ["2", "1", "1", "1", "5"]


def test_it_loads_nothing_from_a_server_either(browser: Chrome, tmp_path: Path) -> None:
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            asked.append(self.path)

    write(tmp_path / "report.html", reports.SMALL)
    handler = functools.partial(Handler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        log(browser, "browser")
        browser.get(f"http://127.0.0.1:{server.server_port}/report.html")
        count = browser.find_element(By.ID, "count").text
        browser.get("about:blank")
        server.shutdown()
    assert (count, asked) == ("5 findings", ["/report.html"])
    assert log(browser, "browser") == []


def test_policy_stops_what_is_not_of_this_page(page: Any) -> None:
    shown = page(reports.SMALL)
    refused = shown.browser.execute_async_script("""
        const [done] = arguments;
        const refused = [];
        document.addEventListener("securitypolicyviolation", (event) => {
          refused.push(event.effectiveDirective);
          if (refused.length === 4) done(refused.sort());
        });
        const add = (name, properties) =>
          document.body.append(Object.assign(document.createElement(name), properties));
        add("script", { textContent: "window.broken = true" });
        add("style", { textContent: "body { display: none }" });
        add("img", { src: "https://example.invalid/x.png" });
        fetch("https://example.invalid/").catch(() => {});
    """)
    assert refused == ["connect-src", "img-src", "script-src-elem", "style-src-elem"]
    assert shown.run("return window.broken") is None
    assert shown.one("#count").is_displayed()
    # where refusals are reported
    assert requests(shown.browser) <= {shown.address, "https://example.invalid/x.png"}
    assert len(log(shown.browser, "browser")) >= 4


def test_clean_report(page: Any) -> None:
    shown = page(Report((), 23))
    assert shown.one("h1").text == "All checks passed: 23 pages"
    assert shown.all("#findings, #map, table") == []
    shown.one("#theme").click()
    assert shown.run("return document.documentElement.dataset.theme") == "dark"


def test_without_script(page: Any) -> None:
    shown = page(reports.SMALL)
    shown.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        shown.open()
        assert shown.one("h1").text == "Found 3 errors and 2 warnings in 12 pages"
        assert [each.text.split("\n")[0] for each in shown.all("#tally th")] == [
            "CL301 num-specs", "CL401 invalid-hash", "CL505 trailing-whitespace",
            "CL603 unlisted-tag"]
        assert "does not run the script" in shown.one("noscript").text
        for part in ("#map", "#findings", "#theme", "#print", "#by-package"):
            assert not shown.one(part).is_displayed()
        shown.one("#CL301 summary").click()
        assert "Regenerates meta" in shown.one("#CL301").text
    finally:
        shown.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


# ------------------------------------------------------------------------------- filters

# name: (fields, text to search, count, the part of the address)
FILTERS: dict[str, tuple[dict[str, str], str, str, str]] = {
    "rule": ({"rule": "CL301 num-specs"}, "", "2 of 5 findings", "rule=CL301"),
    "tag": ({"tag": "v0.23.1"}, "", "1 of 5 findings", "tag=v0.23.1"),
    "no tag": ({"tag": "outside of tags"}, "", "1 of 5 findings", "tag="),
    "package": ({"package": "bzip2"}, "", "1 of 5 findings", "package=bzip2"),
    "no package": ({"package": "no package"}, "", "1 of 5 findings", "package="),
    "errors": ({"severity": "Errors"}, "", "3 of 5 findings", "severity=error"),
    "warnings": ({"severity": "Warnings"}, "", "2 of 5 findings", "severity=warning"),
    "rule and tag": ({"rule": "CL301 num-specs", "tag": "develop"}, "", "1 of 5 findings",
                     "rule=CL301&tag=develop"),
    "no finding": ({"rule": "CL401 invalid-hash", "tag": "v0.23.1"}, "", "0 of 5 findings",
                   "rule=CL401&tag=v0.23.1"),
    "word": ({}, "BLANKS", "1 of 5 findings", "q=BLANKS"),
    "words in any order": ({}, "specs zlib v0.23", "1 of 5 findings", "q=specs+zlib+v0.23"),
    "name of a rule": ({}, "invalid-hash", "1 of 5 findings", "q=invalid-hash"),
    "word that nothing has": ({}, "xyzzy", "0 of 5 findings", "q=xyzzy"),
    "word that is code": ({}, "</script>", "0 of 5 findings", "q=%3C%2Fscript%3E"),
    "word and severity": ({"severity": "Errors"}, "zlib", "2 of 5 findings",
                          "q=zlib&severity=error"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filter(page: Any, name: str) -> None:
    fields, words, count, view = FILTERS[name]
    shown = page(reports.SMALL)
    for field, option in fields.items():
        shown.choose(field, option)
    if words:
        shown.search(words)
    assert shown.count == count
    number = int(count.split()[0])
    assert len(shown.all("[role=option]")) == number
    assert shown.one("#none").is_displayed() is (number == 0)
    assert shown.one("#detail").is_displayed() is (number > 0)
    shown.until(lambda: shown.view == view)
    # the address leads to the same view
    shown.open(f"#{view}")
    assert shown.count == count
    assert shown.one("#q").get_property("value") == words
    shown.one("#clear").click()
    assert (shown.count, shown.one("#q").get_property("value")) == ("5 findings", "")


def test_fixable(page: Any) -> None:
    shown = page(reports.SMALL)
    shown.one("#fixable").click()
    assert (shown.count, shown.view) == ("3 of 5 findings", "fixable=yes")


@pytest.mark.parametrize(("order", "packages"), [
    ("File and line", ["bzip2", "zlib", "zlib", "zlib", "_data/tags.yaml"]),
    ("Rule", ["zlib", "zlib", "bzip2", "zlib", "_data/tags.yaml"]),
    ("Errors first", ["bzip2", "zlib", "zlib", "zlib", "_data/tags.yaml"]),
    ("Tag", ["bzip2", "zlib", "zlib", "zlib", "_data/tags.yaml"]),
    ("Package", ["bzip2", "zlib", "zlib", "zlib", "_data/tags.yaml"]),
])
def test_order(page: Any, order: str, packages: list[str]) -> None:
    shown = page(reports.SMALL)
    shown.choose("sort", order)
    assert shown.read_all("[role=option] b") == packages
    if order == "Errors first":
        assert shown.read_all("[role=option] .level") == ["error"] * 3 + ["warning"] * 2


def test_tags_sort_as_people_count(page: Any) -> None:
    names = ["v0.9", "v0.10", "develop", "v0.23.1"]
    shown = page(Report(tuple(map(reports.finding, names)), 4))
    assert shown.read_all("#heat tbody th") == ["develop", "v0.9", "v0.10", "v0.23.1"]


def test_tag_is_called_by_its_catalog_where_there_are_several(page: Any) -> None:
    shown = page(Report(tuple(reports.finding(path=f"{root}/_cache/develop/zlib/specs.md")
                              for root in ("one", "two")), 2))
    assert shown.read_all("#heat tbody th") == ["one: develop", "two: develop"]
    shown.choose("tag", "two: develop")
    assert shown.text("#detail .path") == "two/_cache/develop/zlib/specs.md:5:12"


def test_view_is_kept_in_the_address(page: Any) -> None:
    shown = page(reports.SMALL)
    # browsers only go back to what somebody touched
    shown.one("h1").click()
    shown.choose("rule", "CL301 num-specs")
    shown.one("h1").click()
    shown.choose("tag", "v0.23.1")
    shown.browser.back()
    shown.until(lambda: shown.count == "2 of 5 findings")
    assert shown.view == "rule=CL301"
    shown.browser.back()
    shown.until(lambda: shown.count == "5 findings")
    shown.browser.forward()
    shown.until(lambda: shown.count == "2 of 5 findings")
    shown.one("h1").click()
    shown.press("j", "j")
    shown.until(lambda: shown.view == "rule=CL301&finding=4")
    shown.open("#rule=CL301&finding=4")
    assert shown.chosen == "num_specs is 9, beside 8 specs"


@pytest.mark.parametrize(("view", "count"), [
    ("#rule=CL302&tag=gone", "No finding here has rule CL302 or tag gone. 5 findings"),
    ("#finding=99", "5 findings"),
    ("#finding=x&severity=y&sort=constructor", "5 findings"),
    ("#findings", "5 findings"),
    ("#%", "5 findings"),
    ("#rule=__proto__", "No finding here has rule __proto__. 5 findings"),
    ("#q=<img src=x onerror=alert(1)>", "0 of 5 findings"),
])
def test_address_of_something_else(page: Any, view: str, count: str) -> None:
    assert page(reports.SMALL, view).count == count


def test_links_of_the_overview(page: Any) -> None:
    shown = page(reports.SMALL)
    shown.one("#tally a[href='#rule=CL505']").click()
    shown.until(lambda: shown.count == "1 of 5 findings")
    assert shown.focus == "list"
    shown.run("document.querySelector(\"#packages a[href='#package=zlib']\").click()")
    shown.until(lambda: shown.count == "3 of 5 findings")
    [*_, tag] = shown.all("#detail .more a")
    assert tag.text == "develop"
    tag.click()
    shown.until(lambda: shown.view == "tag=develop")


# ------------------------------------------------------------------------------- a finding


def test_both_sides_of_a_contradiction_are_marked(page: Any) -> None:
    shown = page(reports.SMALL, "#rule=CL301&tag=develop")
    assert shown.read_all("#detail .evidence .number") == ["5", "6"]
    assert shown.read_all("#detail .evidence code") == [
        'meta: {"num_specs": 3, "oss": []}', "spec_details: [{…"]
    assert shown.read_all("#detail mark.side1") == ["3"]
    assert shown.read_all("#detail mark.side2") == ["spec_details"]
    assert shown.read_all("#detail .evidence span.side2") == ["2 specs"]
    assert shown.text("#detail .path") == "_cache/develop/zlib/specs.md:5:12"
    assert shown.text("#detail .fix") == "cachelint fix _cache/develop/zlib/specs.md fixes this."
    assert "Regenerates meta" in shown.text("#detail .prose")


def test_buttons_copy_the_location_and_the_command(page: Any) -> None:
    shown = page(Report((reports.finding(path="_cache/develop/it's/specs.md", fixable=True),), 1))
    shown.run("window.copied = []; Object.defineProperty(navigator, 'clipboard', "
              "{value: {writeText: async (text) => window.copied.push(text)}})")
    buttons = shown.all("#detail .copy")
    assert [button.text for button in buttons] == ["Copy location", "Copy fix command"]
    for button in buttons:
        button.click()
        shown.until(lambda button=button: button.text == "Copied")
    assert shown.run("return window.copied") == [
        "_cache/develop/it's/specs.md:5:12", "cachelint fix '_cache/develop/it'\\''s/specs.md'"]


def test_a_file_of_the_catalog_is_fixed_with_the_catalog(page: Any) -> None:
    shown = page(Report((reports.finding(path="_data/meta.yaml", code="CL607", fixable=True),), 1))
    assert shown.text("#detail .fix") == "cachelint fix fixes this."


def test_marks_of_code_are_rendered(page: Any) -> None:
    shown = page(Report((reports.finding(message="text after the closing `---`, a ` alone"),), 1))
    assert shown.text("#detail > .message") == "text after the closing ---, a ` alone"
    assert shown.read_all("#detail > .message code") == ["---"]


def test_a_finding_links_to_its_line_and_its_rule(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "spack/cache")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_SHA", "0" * 40)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    shown = page(Report((reports.finding("a b", "#x"),), 1))
    assert [link.get_attribute("href") for link in shown.all("#detail .path a, #detail h3 a")] == [
        "https://spack.github.io/cachelint/rules/#cl301",
        f"https://github.com/spack/cache/blob/{'0' * 40}/_cache/a%20b/%23x/specs.md#L5"]


def test_text_of_pages_and_names_of_files_is_text(page: Any) -> None:
    names = [text.replace("/", "") for text in reports.HOSTILE]
    report = Report(tuple(
        reports.finding(name, name, message=text, pointer=text,
                        excerpts=(Excerpt(1, 0, f"a{text}b", 1, 1 + len(text), text),))
        for name, text in zip(names, reports.HOSTILE, strict=True)), 1)
    calm = page(Report(tuple(reports.finding(f"t{n}", f"p{n}", excerpts=(
        Excerpt(1, 0, "a.b", 1, 2, "x"),)) for n in range(len(names))), 1))
    elements = calm.run("return document.querySelectorAll('*').length")
    shown = page(report)
    marks = sum(text.count("`") // 2 for text in reports.HOSTILE)  # each pair is code
    assert shown.run("return document.querySelectorAll('*').length") == elements + marks
    for text, name in zip(reports.HOSTILE, names, strict=True):
        shown.press("j")
        assert shown.chosen == escape_unsafe(text).replace("`", "")
        assert shown.read_all("#detail > .message") == [escape_unsafe(text).replace("`", "")]
        assert shown.read_all("#detail mark") == [escape_unsafe(text)]
        assert shown.read_all("#detail .evidence span.side1") == [escape_unsafe(text)]
        path = escape_unsafe(f"_cache/{name}/{name}/specs.md")
        assert shown.text("#detail .path") == f"{path}:5:12"
    assert shown.run("return document.querySelectorAll('img, #detail script').length") == 0
    # what is shown contains no character that turns or hides others
    assert shown.run(r"return /[\u0000-\u0008\u202a-\u202e\u2028\ud800]/u.test("
                     "document.body.textContent)") is False
    for text, name in zip(reports.HOSTILE, names, strict=True):
        shown.choose("tag", escape_unsafe(name))
        assert (shown.count, shown.chosen) == (
                f"1 of {len(names)} findings", escape_unsafe(text).replace("`", ""))


# ------------------------------------------------------------------------------- keys


def test_keys(page: Any) -> None:
    shown = page(reports.large(250, tags=3, rules=4))

    def position() -> str:
        place: str = shown.one("[aria-selected=true]").get_attribute("aria-posinset")
        return place

    shown.press("j")
    assert (shown.focus, position()) == ("list", "1")
    shown.press("j", "j", Keys.ARROW_DOWN)
    assert position() == "4"
    shown.press("k", Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP)
    assert position() == "1"
    shown.press(Keys.PAGE_DOWN)
    assert position() == "11"
    shown.press(Keys.END)
    assert (position(), shown.text("#position")) == ("250", "201\u2013250 of 250")
    shown.press("j")
    assert position() == "250"
    shown.press(Keys.HOME, *["j"] * 100)
    assert (position(), shown.text("#position")) == ("101", "101\u2013200 of 250")
    assert shown.one("#list").get_attribute("aria-activedescendant") == "finding-100"
    box = shown.run("return document.querySelector('[aria-selected=true]').getBoundingClientRect()")
    assert 0 <= box["top"] < box["bottom"] <= WIDE[1]
    shown.press(Keys.ENTER)
    assert shown.focus == "detail"
    shown.press(Keys.ESCAPE)
    assert shown.focus == "list"
    shown.press("/")
    assert shown.focus == "q"
    shown.press("j", "k", "/")
    assert shown.one("#q").get_property("value") == "jk/"
    shown.press(Keys.CONTROL + "a", "package-007", Keys.ENTER)
    assert (shown.focus, shown.count) == ("list", "1 of 250 findings")
    # WCAG 2.1.4: keys of one letter can be turned off
    shown.one("#letters").click()
    shown.one("#clear").click()
    shown.one("#list").click()
    before = position()
    shown.press("j", "/")
    assert (shown.focus, position()) == ("list", before)
    shown.press(Keys.ARROW_DOWN)
    assert position() == str(int(before) + 1)


def test_everything_is_reached_by_tab(page: Any) -> None:
    shown = page(reports.SMALL)
    reached = []
    for _ in range(100):
        shown.press(Keys.TAB)
        if shown.run("return document.activeElement === document.body"):
            break
        reached.append(shown.run("""
            const focus = document.activeElement;
            const style = getComputedStyle(focus);
            const box = focus.getBoundingClientRect();
            return [focus.id || focus.className || focus.textContent,
                    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                    box.width > 0 && box.height > 0];
        """))
    names = [name for name, *_ in reached]
    assert names[0] == "skip"
    for name in ("theme", "print", "q", "severity", "rule", "tag", "package", "sort", "fixable",
                 "letters", "list"):
        assert name in names
    assert [name for name, is_marked, is_seen in reached if not (is_marked and is_seen)] == []
    assert [name for name in names if name in ("CL301", "CL401", "CL505", "CL603")].count(
        "CL301") == 1  # the map is one stop


def test_skip_link(page: Any) -> None:
    shown = page(reports.SMALL, "#rule=CL301")
    shown.run("document.querySelector('.skip').click()")
    assert (shown.focus, shown.view, shown.count) == ("findings", "rule=CL301", "2 of 5 findings")


# ------------------------------------------------------------------------------- the map


def test_cell_of_the_map_filters(page: Any) -> None:
    shown = page(reports.SMALL)
    cell = shown.one("[aria-label='develop, CL301 num-specs: 1 finding']")
    cell.click()
    assert (shown.count, shown.view, shown.focus) == (
        "1 of 5 findings", "rule=CL301&tag=develop", "list")
    assert shown.all("#heat [aria-pressed=true]") == [cell]
    shown.run("arguments[0].click()", cell)
    assert (shown.count, shown.all("#heat [aria-pressed=true]")) == ("5 findings", [])
    for label, count in (("CL301 num-specs: 2 findings", "2 of 5 findings"),
                         ("outside of tags: 1 finding", "1 of 5 findings")):
        shown.run("arguments[0].click()", shown.one(f"#heat [aria-label='{label}']"))
        assert shown.count == count
        assert len(shown.all("#heat [aria-pressed=true]")) == 1


def test_keys_of_the_map(page: Any) -> None:
    shown = page(reports.SMALL)
    assert len(shown.all("#heat button[tabindex='0']")) == 1
    shown.run("document.querySelector(\"#heat button[tabindex='0']\").focus()")

    def label() -> str:
        text: str = shown.run("return document.activeElement.getAttribute('aria-label')")
        return text.partition(":")[0]

    assert label() == "CL301 num-specs"
    for key, expected in (
        (Keys.ARROW_DOWN, "develop, CL301 num-specs"),
        (Keys.ARROW_RIGHT, "develop, CL401 invalid-hash"),
        (Keys.END, "develop, CL505 trailing-whitespace"),
        (Keys.ARROW_RIGHT, "develop, CL505 trailing-whitespace"),
        (Keys.HOME, "develop"), (Keys.ARROW_DOWN, "v0.23.1"), (Keys.ARROW_DOWN, "outside of tags"),
        # over cells that are empty
        (Keys.ARROW_RIGHT, "outside of tags, CL603 unlisted-tag"),
        (Keys.ARROW_UP, "CL603 unlisted-tag"),
    ):
        shown.press(key)
        assert label() == expected
    assert len(shown.all("#heat button[tabindex='0']")) == 1
    shown.press(Keys.ENTER)
    assert shown.view == "rule=CL603"


# ------------------------------------------------------------------------------- many findings


def test_fifty_thousand_findings(page: Any) -> None:
    shown = page(reports.large(50_000))
    assert shown.count == "50,000 findings"
    assert len(shown.all("[role=option]")) == 100
    assert shown.run("return document.querySelectorAll('#findings *').length") < 5000
    assert shown.read_all("#packages .rest") == [
        "and 897 other packages, which the filter below lists"]
    rows, columns = shown.run("""
        const table = document.querySelector("#heat table");
        return [table.tBodies[0].rows.length, table.tHead.rows[0].cells.length]""")
    assert (rows, columns) == (100, 50 + 2)
    assert sum(int(text.replace(",", "")) for text in shown.read_all("#heat tbody button")
               if text.replace(",", "").isdigit()) == 50_000
    # head and names stay where a map of this size is scrolled, and the page itself never is
    boxes = shown.run("""
        const heat = document.getElementById("heat");
        heat.scrollTo(900, 900);
        const box = (selector) => heat.querySelector(selector).getBoundingClientRect();
        return [heat.getBoundingClientRect(), box("thead th:nth-child(30)"),
                box("tbody tr:nth-child(40) th")]""")
    assert abs(boxes[1]["top"] - boxes[0]["top"]) <= 1.5
    assert abs(boxes[2]["left"] - boxes[0]["left"]) <= 1.5
    assert shown.run("return document.documentElement.scrollWidth") == WIDE[0]
    shown.run("document.getElementById('list').focus()")
    shown.press(Keys.END)
    assert shown.text("#position") == "49,901\u201350,000 of 50,000"
    assert len(shown.all("[role=option]")) == 100
    shown.one("#earlier").click()
    assert shown.text("#position") == "49,801\u201349,900 of 50,000"
    shown.search("package-123 develop-042")
    assert shown.count == "1 of 50,000 findings"


# ------------------------------------------------------------------------------- looks

CONTRAST = """
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
      .map((part) => (part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4))
      .reduce((sum, part, index) => sum + part * [.2126, .7152, .0722][index], 0);
    const ground = (element) => {
      for (let each = element; each; each = each.parentElement) {
        const color = rgba(getComputedStyle(each).backgroundColor);
        if (color[3] === 255) return color;
      }
      throw new Error("nothing lies below");
    };
    const poor = [];
    let seen = 0;
    for (const element of document.querySelectorAll("body *:not(:disabled)")) {
      const isText = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
      if (!isText || !element.checkVisibility()) continue;
      if (element.closest("script, svg, option, noscript")) continue;
      seen += 1;
      const [one, two] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
      const ratio = (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
      if (ratio < 4.5) poor.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
    }
    return [seen, [...new Set(poor)]];
"""
EVERY_STEP = Report(tuple(
    reports.finding(f"t{step}", "zlib", code, excerpts=reports.BOTH_SIDES, fixable=True)
    for step in range(1, 6) for code in ("CL301", "CL505") for _ in range(3 ** step)), 9)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(page: Any, theme: str) -> None:
    shown = page(EVERY_STEP)
    shown.media(theme)
    shown.run("for (const each of document.querySelectorAll('details')) each.open = true")
    assert [len(shown.all(f"td.heat{step}")) for step in range(1, 6)] == [2] * 5
    seen, poor = shown.run(CONTRAST)
    assert seen > 500
    assert poor == []


def brightness(shown: Page) -> int:
    color: str = shown.run("return getComputedStyle(document.documentElement).backgroundColor")
    return sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(",")))


def test_theme(page: Any) -> None:
    shown = page(reports.SMALL)
    theme = shown.one("#theme")
    assert (brightness(shown) > 700, theme.text) == (True, "Use dark theme")
    shown.media("dark")
    # the page hears of it with the browser's next frame
    shown.until(lambda: theme.text == "Use light theme")
    assert brightness(shown) < 100
    theme.click()
    assert (brightness(shown) > 700, theme.text) == (True, "Use dark theme")
    shown.open()
    assert brightness(shown) > 700
    shown.one("#theme").click()
    shown.media("light")
    assert brightness(shown) < 100


@pytest.mark.parametrize("size", [WIDE, PHONE, (320, 600), (768, 1024), (1920, 1080)])
@pytest.mark.parametrize("report", [
    reports.large(3000, tags=100, rules=50),
    Report((reports.finding("t" * 200, "p" * 200, message="m" * 900, pointer="/" + "x" * 900,
                            excerpts=(Excerpt(1, 0, "e" * 300, 0, 200, "l" * 300),)),), 1),
    Report((), 1),
], ids=["many", "long", "none"])
def test_nothing_overflows(page: Any, report: Report, size: tuple[int, int]) -> None:
    shown = page(report, "#finding=1", size)
    assert shown.run("return document.documentElement.scrollWidth") == size[0]


def test_finding_on_a_phone(page: Any) -> None:
    shown = page(reports.SMALL, size=PHONE)
    detail = shown.one("#detail")
    assert not detail.is_displayed()
    shown.all("[role=option]")[1].click()
    assert detail.is_displayed()
    box = detail.rect
    assert (box["x"], box["width"]) == (0, PHONE[0])
    shown.one("#detail .close").click()
    assert not detail.is_displayed()
    assert shown.focus == "list"


def test_print(page: Any) -> None:
    shown = page(reports.large(1500, tags=3, rules=4), "#tag=develop-001")
    pdf = base64.b64decode(shown.browser.print_page())
    assert pdf.startswith(b"%PDF")
    assert shown.all("#printed *") == []  # gone afterwards
    shown.run("window.dispatchEvent(new Event('beforeprint'))")
    shown.media(media="print")
    assert shown.read_all("#printed h2") == ["500 of 1,500 findings: tag develop-001"]
    assert len(shown.all("#printed article")) == 500
    assert shown.one("#printed article .evidence").is_displayed()
    assert not shown.one("#findings").is_displayed()
    assert shown.one("#rules .prose").is_displayed()
    assert shown.all("#printed .note") == []
    shown.run("window.dispatchEvent(new Event('afterprint'))")
    shown.media()
    assert shown.all("#printed *, #rules details[open]") == []
    shown.one("#clear").click()
    shown.run("window.dispatchEvent(new Event('beforeprint'))")
    assert len(shown.all("#printed article")) == 1000
    assert shown.read_all("#printed .note") == [
        "The first 1,000 are printed; 500 are not. A filter makes them fewer."]


def test_what_is_dark_is_printed_light(page: Any) -> None:
    shown = page(reports.SMALL)
    shown.one("#theme").click()
    shown.media("dark", "print")
    assert brightness(shown) > 700


# ------------------------------------------------------------------------------- for listeners


def test_every_control_has_a_name_and_every_part_a_landmark(page: Any) -> None:
    shown = page(reports.large(300, tags=3, rules=4))
    nodes = [{"role": node["role"]["value"], "name": node.get("name", {}).get("value", "")}
             for node in shown.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
             if not node["ignored"]]
    roles = [node["role"] for node in nodes]
    for role in ("button", "searchbox", "combobox", "checkbox", "link", "listbox", "option",
                 "region", "navigation", "grid", "columnheader", "rowheader", "search", "article"):
        assert role in roles, role
        assert [node for node in nodes if node["role"] == role and not node["name"]] == [], role
    for role in ("banner", "main", "contentinfo", "status", "listbox"):
        assert roles.count(role) == 1, role
    levels = shown.run("return [...document.querySelectorAll('h1, h2, h3, h4')]"
                       ".filter((each) => each.checkVisibility()).map((each) => +each.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    identities = shown.run("return [...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(identities) == len(set(identities))


def test_count_is_announced(page: Any) -> None:
    count = page(reports.SMALL).one("#count")
    assert (count.get_attribute("role"), count.get_attribute("aria-live")) == ("status", "polite")


def test_both_browser_and_driver_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert installed() is None
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "chromedriver" else name)
    assert installed() is None
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert installed() == ("/bin/chromium", "/bin/chromedriver")
