"""The line that counts down while changes are on trial."""

from __future__ import annotations

import pytest

from vnet_tui.actions import KEEP_TRIAL, ROLL_BACK_TRIAL
from vnet_tui.engine.views import Checkpoint
from vnet_tui.widgets.picture import Line, changed_cells
from vnet_tui.widgets.trial_line import trial_line

KEYS = {KEEP_TRIAL.id: "k", ROLL_BACK_TRIAL.id: "R"}


def told(
    left: int, *, note: str = "", own: bool = True, connected: bool = True, half: bool = False
) -> Line:
    checkpoint = Checkpoint(id="1", opened=0.0, deadline=60.0, who="alice", note=note)
    return trial_line(checkpoint, left, own=own, connected=connected, keys=KEYS, half=half)


def words(line: Line) -> str:
    return "".join(cell.text for cell in line)


@pytest.mark.parametrize(("left", "cells"), [(43, 1), (40, 2), (100, 3), (1000, 4)])
def test_a_second_changes_only_its_figures(left: int, cells: int) -> None:
    first, last = changed_cells(told(left), told(left - 1))
    assert last - first == cells


def test_it_says_whose_changes_and_who_takes_them_back() -> None:
    assert "your changes are rolled back then" in words(told(9))
    assert "changes of alice are rolled back then" in words(told(9, own=False))
    assert "R roll back" in words(told(9))
    cut_off = words(told(9, connected=False))
    assert "9 s  then the host rolls your changes back; connect to keep them" in cut_off
    assert "k keep" not in cut_off
    assert "keep" not in words(told(9, connected=False, half=True))
    assert "applied by half" in words(told(9, half=True))
    assert "time is up  your changes are being rolled back" in words(told(0))
    assert "time is up  the host rolls your changes back" in words(told(0, connected=False))
    assert "can't be rolled back yet: the disk is full" in words(told(0, note="the disk is full"))


@pytest.mark.parametrize("connected", [True, False])
def test_a_small_terminal_has_room_for_it(connected: bool) -> None:
    assert len(words(told(600, connected=connected))) <= 80
