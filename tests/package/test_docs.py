"""The documentation holds together: links lead somewhere, and what it names is there."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from lxml import etree

from vnet_tui import actions
from vnet_tui.actions import Action
from vnet_tui.cli.commands import by_name
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.requests import unrunnable
from vnet_tui.engine.views import Checkpoint, Event, Guest, Lease, NetworkInfo
from vnet_tui.engine.xml import parse

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
PAGES = sorted(
    [*CHECKOUT.glob("*.md"), *DOCS.rglob("*.md"), CHECKOUT / "benchmarks/README.md"],
)
PICTURES = sorted((DOCS / "pictures").glob("*.svg"))
LARGEST_PICTURE = 40_000

LINK = re.compile(r"!?\[[^]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$|^(?: {4}[^\n]*\n)+", re.DOTALL | re.MULTILINE)
INTERNAL = {"VNET_SANDBOX"}
"""Variables that the programs tell each other, and nobody else."""

SPELLED = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "escape": "esc",
    "delete": "del",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
"""Keys that are written otherwise than Textual names them."""


def named(path: Path) -> str:
    """How a test is called that is about a file."""
    return str(path.relative_to(CHECKOUT))


def prose(page: Path) -> str:
    """A page without its code, where brackets are no links."""
    return FENCED.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """What links can lead to within a page, as forges derive it from headings."""
    headings = (found["text"] for found in HEADING.finditer(FENCED.sub("", page.read_text())))
    plain = (re.sub(r"[^\w\- ]", "", text.lower()) for text in headings)
    return {text.strip().replace(" ", "-") for text in plain}


def links() -> list[tuple[Path, str]]:
    """Every link and picture of every page, except those to other servers."""
    return [
        (page, found["target"])
        for page in PAGES
        for found in LINK.finditer(prose(page))
        if "://" not in found["target"]
    ]


def test_every_link_leads_somewhere() -> None:
    found = links()
    assert len(found) > 30
    for page, target in found:
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{named(page)}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{named(page)}: {target}"


def test_every_picture_is_shown() -> None:
    shown = {(page.parent / target).resolve() for page, target in links()}
    assert PICTURES
    assert set(PICTURES) <= shown


@pytest.mark.parametrize("picture", PICTURES, ids=named)
def test_a_picture_is_small_and_asks_nobody(picture: Path) -> None:
    assert picture.stat().st_size < LARGEST_PICTURE
    text = picture.read_text()
    etree.fromstring(text.encode())
    assert set(re.findall(r"\w+://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "connecting" not in text


@pytest.mark.parametrize("page", [*PAGES, *PICTURES], ids=named)
def test_nothing_tells_where_it_was_written(page: Path) -> None:
    text = page.read_text()
    for place in (CHECKOUT, Path.home()):
        if place != Path("/"):
            assert f"{place}/" not in text


def documents() -> list[tuple[Path, str]]:
    """The whole documents that pages show."""
    return [
        (page, found)
        for page in PAGES
        for found in re.findall(r"^```xml\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
        if "<network" in found
    ]


def test_every_document_that_is_shown_describes_a_network() -> None:
    found = documents()
    assert {page.name for page, _ in found} >= {"README.md", "guide.md", "cli.md"}
    for page, text in found:
        assert parse(text).name, named(page)


def test_the_reference_of_commands_is_what_they_are() -> None:
    done = subprocess.run(
        [sys.executable, CHECKOUT / "script/cli-reference", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_that_pages_name_is_one() -> None:
    known = by_name()
    for page in PAGES:
        for name in re.findall(r"\bvnet ((?:network|net)-[a-z][a-z-]*)", page.read_text()):
            assert name in known, f"{named(page)}: {name}"


OBJECTS = {
    "network": NetworkInfo,
    "lease": Lease,
    "guest": Guest,
    "event": Event,
    "problem": Problem,
    "finding": Finding,
    "checkpoint": Checkpoint,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_every_field_of_json_is_told(name: str) -> None:
    page = (DOCS / "cli.md").read_text()
    row = re.search(rf"^\| {name} \| (.*) \|$", page, re.MULTILINE)
    assert row
    told = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", row[1]))
    assert told == [field.name for field in fields(OBJECTS[name])]


REFUSED = {
    "listen": '<listen address="172.31.0.5" port="1234"/>',
    "connections": '<connections><connection address="172.31.0.6" port="1234"/></connections>',
    "switch": '<switch type="vde"/>',
    "interface": '<interface name="eth1"/>',
    "log": '<forwarding><incoming><allow port="22" log="true"/></incoming></forwarding>',
    "limit": '<forwarding><incoming><allow port="22" limit="5"/></incoming></forwarding>',
    "established": '<forwarding><incoming><deny established="false"/></incoming></forwarding>',
}
"""What this version may refuse to start, each in a document."""


def test_what_a_start_refuses_is_told() -> None:
    page = (DOCS / "guide.md").read_text()
    told = re.search(
        r"^## What this version can't do$(.*?)^Limits that were found:$",
        page,
        re.DOTALL | re.MULTILINE,
    )
    assert told
    rows = " ".join(row.split(" | ")[0] for row in told[1].splitlines() if row.startswith("| `"))
    mentioned = {word for word in REFUSED if re.search(rf"`<?{word}\b", rows)}
    refused = {
        word
        for word, part in REFUSED.items()
        if unrunnable(parse(f"<network><name>x</name>{part}</network>"))
    }
    assert mentioned == refused


def test_every_method_of_the_engine_is_told() -> None:
    page = (DOCS / "engine.md").read_text()
    methods = [name for name, _ in inspect.getmembers(Engine, callable) if name[0] != "_"]
    assert [name for name in methods if f"{name}(" not in page] == []


@pytest.mark.parametrize("action", actions.every(), ids=lambda a: str(a.id))
def test_every_key_is_told_in_the_guide(action: Action) -> None:
    guide = (DOCS / "guide.md").read_text()
    keys = [SPELLED.get(key, key) for key in action.key.split(",")]
    assert [key for key in keys if f"`{key}`" not in guide] == []


def test_every_variable_is_told_and_no_other() -> None:
    pattern = re.compile(r"VNET_[A-Z_]+[A-Z]")
    sources = (CHECKOUT / "vnet_tui").rglob("*.py")
    used = {name for path in sources for name in pattern.findall(path.read_text())}
    told = set(pattern.findall((DOCS / "guide.md").read_text()))
    assert told == used - INTERNAL
