"""What an administrator sets up for all engines of a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet_tui.engine.errors import StateError
from vnet_tui.engine.settings import Settings, SettingsError, settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vnet.toml"


def read(file: Path, **variables: str) -> Settings:
    return settings({"VNET_CONFIG": str(file), **variables})


def test_without_a_file_the_host_decides_and_repairs_are_made(file: Path) -> None:
    assert read(file) == Settings(firewall="auto", repair="mend")
    assert read(file).mends


def test_the_file_is_read_and_variables_go_before_it(file: Path) -> None:
    file.write_text('firewall = "iptables"\nrepair = "report"\n')
    assert read(file) == Settings(firewall="iptables", repair="report")
    assert read(file, VNET_FIREWALL="nftables").firewall == "nftables"
    assert read(file, VNET_REPAIR="mend").mends


def test_everything_wrong_is_told_with_its_line(file: Path) -> None:
    file.write_text('# ours\nfirewall = "ebtables"\nrepiar = "report"\n')
    with pytest.raises(SettingsError) as caught:
        read(file)
    assert [problem.line for problem in caught.value.problems] == [2, 3]
    assert str(file) in str(caught.value)
    assert "use one of auto, nftables, iptables" in str(caught.value)
    assert "there is no setting repiar" in str(caught.value)


def test_what_is_no_toml_is_told_with_its_line(file: Path) -> None:
    file.write_text("firewall =\n")
    with pytest.raises(SettingsError, match="not TOML") as caught:
        read(file)
    assert caught.value.problems[0].line == 1


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="can't be read: Is a directory"):
        read(tmp_path)


def test_a_variable_that_says_what_cannot_be_is_told(file: Path) -> None:
    with pytest.raises(StateError, match="VNET_FIREWALL can't be 'pf'"):
        read(file, VNET_FIREWALL="pf")
