"""Kernel settings, in a network namespace of the test's own."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.lab import Lab
from vnet_tui.engine.drivers.sysctl import Sysctl
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.steps import RestoreSysctl, SetSysctl

FORWARD = "net/ipv4/ip_forward"
PORTS = "net/ipv4/ip_local_port_range"
ON = SetSysctl(key=FORWARD, before="0", after="1", remember=True)
OFF = RestoreSysctl(key=FORWARD, before="1", after="0")


@pytest.fixture
def sysctl(lab: Lab) -> Sysctl:
    (Path("/proc/sys") / FORWARD).write_text("0")
    return Sysctl(lab.paths)


def test_reading(sysctl: Sysctl) -> None:
    assert sysctl.read(FORWARD) == "0"
    assert sysctl.read("net/ipv6/conf/no-such-link/accept_ra") is None
    (Path("/proc/sys") / PORTS).write_text("20000 30000")
    assert sysctl.read(PORTS) == "20000 30000"


def test_a_setting_is_remembered_and_restored(sysctl: Sysctl, lab: Lab) -> None:
    sysctl.set(ON)
    assert sysctl.read(FORWARD) == "1"
    assert Sysctl(lab.paths).remembered() == {FORWARD: ("0", "1")}
    sysctl.restore(OFF)
    assert sysctl.read(FORWARD) == "0"
    assert sysctl.remembered() == {}
    assert not (lab.paths.run / "sysctl.json").exists()


def test_without_remember_nothing_is_written_down(sysctl: Sysctl, lab: Lab) -> None:
    sysctl.set(SetSysctl(key=PORTS, before="", after="20000 30000"))
    assert sysctl.read(PORTS) == "20000 30000"
    assert sysctl.remembered() == {}
    assert not lab.paths.run.exists()


def test_the_first_value_is_the_one_that_comes_back(sysctl: Sysctl) -> None:
    sysctl.set(SetSysctl(key=PORTS, before="32768 60999", after="20000 30000", remember=True))
    (Path("/proc/sys") / PORTS).write_text("1024 2048")
    sysctl.set(SetSysctl(key=PORTS, before="1024 2048", after="20000 30001", remember=True))
    assert sysctl.remembered() == {PORTS: ("32768 60999", "20000 30001")}


def test_what_somebody_else_set_meanwhile_stays(sysctl: Sysctl) -> None:
    sysctl.set(SetSysctl(key=PORTS, before="32768 60999", after="20000 30000", remember=True))
    (Path("/proc/sys") / PORTS).write_text("1024 2048")
    sysctl.restore(RestoreSysctl(key=PORTS, before="20000 30000", after="32768 60999"))
    assert sysctl.read(PORTS) == "1024 2048"
    assert sysctl.remembered() == {}


def test_a_setting_that_went_meanwhile_is_forgotten(sysctl: Sysctl, lab: Lab) -> None:
    key = "net/ipv6/conf/gone/accept_ra"
    lab.paths.run.mkdir()
    (lab.paths.run / "sysctl.json").write_text(json.dumps({key: ["1", "2"], FORWARD: ["0", "1"]}))
    sysctl.restore(RestoreSysctl(key=key, before="2", after="1"))
    assert sysctl.remembered() == {FORWARD: ("0", "1")}


def test_the_old_value_is_written_down_before_the_setting_is(lab: Lab, sysctl: Sysctl) -> None:
    """Killed when the file has been replaced and the setting not yet written, the old value is
    there for the next engine, and restoring it changes nothing."""

    def kill_before_writing(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(FORWARD):
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        sys.addaudithook(kill_before_writing)
        sysctl.set(ON)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert sysctl.read(FORWARD) == "0"
    assert sysctl.remembered() == {FORWARD: ("0", "1")}
    sysctl.restore(OFF)
    assert sysctl.read(FORWARD) == "0"


def test_a_value_that_the_kernel_refuses_is_told_and_forgotten(sysctl: Sysctl) -> None:
    with pytest.raises(DriverError, match=r"setting net/ipv4/ip_forward to maybe: Invalid arg"):
        sysctl.set(SetSysctl(key=FORWARD, before="0", after="maybe", remember=True))
    assert sysctl.remembered() == {}
    assert sysctl.read(FORWARD) == "0"


def test_a_setting_that_the_kernel_has_not_is_told(sysctl: Sysctl) -> None:
    with pytest.raises(DriverError, match="this kernel has no such setting") as refused:
        sysctl.set(SetSysctl(key="net/ipv6/no_such", before="", after="1", remember=True))
    assert "IPv6" in refused.value.remedy
    assert sysctl.remembered() == {}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../../etc/passwd",
        "net/../../../etc/passwd",
        "net//ipv4",
        "net/./x",
        "a\0b",
    ],
)
def test_a_key_that_leads_elsewhere_is_refused(sysctl: Sysctl, key: str) -> None:
    with pytest.raises(DriverError, match="is no kernel setting"):
        sysctl.read(key)
    with pytest.raises(DriverError, match="is no kernel setting"):
        sysctl.set(SetSysctl(key=key, before="", after="x"))


def test_a_damaged_memory_is_told_and_not_overwritten(lab: Lab, sysctl: Sysctl) -> None:
    lab.paths.run.mkdir()
    memory = lab.paths.run / "sysctl.json"
    for damaged in ("{", '["x"]', '{"a": 3}', '{"a": ["1"]}'):
        memory.write_text(damaged)
        with pytest.raises(DriverError, match=r"sysctl\.json is damaged"):
            sysctl.set(ON)
        assert memory.read_text() == damaged
        assert sysctl.read(FORWARD) == "0"
