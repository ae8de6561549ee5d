"""The pinned environment: complete, exact, and silent about where its packages came from."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
PIN = re.compile(r"([A-Za-z0-9._-]+)==([0-9][0-9a-z.]*)(?: ; [a-z_]+ [<>=!]+ '[^'/:]+')?")


def pins() -> dict[str, str]:
    """Version by package, of every line of the constraints file."""
    found: dict[str, str] = {}
    for line in (CHECKOUT / "constraints.txt").read_text().splitlines():
        match = PIN.fullmatch(line)
        assert match, f"not just a name and a version: {line}"
        found[canonicalize_name(match[1])] = match[2]
    return found


def test_every_package_that_is_needed_is_pinned_to_the_version_installed() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    known = pins()
    to_see = [
        Requirement(line)
        for line in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    ]
    seen: set[tuple[str, frozenset[str]]] = set()
    while to_see:
        requirement = to_see.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        installed = distribution(name)
        assert known.get(name) == installed.version, f"constraints.txt doesn't pin {name}"
        assert requirement.specifier.contains(installed.version)
        for line in installed.requires or []:
            further = Requirement(line)
            wanted = [{"extra": extra} for extra in (*extras, "")]
            if not further.marker or any(further.marker.evaluate(extra) for extra in wanted):
                to_see.append(further)
    assert len(seen) > len(project["project"]["dependencies"])
