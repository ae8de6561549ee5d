"""Edits of what runs and what is defined, plans, and changes on trial, as people call them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.vnet import Typist, call, command, ok, told, vnet

HOST = '<host mac="52:54:00:99:00:10" name="printer" address="10.1.0.10"/>'
DENY = '<deny port="465"/>'


@pytest.fixture
def running(lab: Lab) -> Lab:
    """A host on which the network ``a`` runs."""
    ok(lab, "network-define", "-", stdin=document("a"))
    ok(lab, "network-start", "a")
    return lab


@pytest.fixture(autouse=True)
def _stopped(lab: Lab) -> object:
    yield
    names = ok(lab, "network-list", "--name").split()
    if names:
        ok(lab, "network-stop", *names)


def documents(lab: Lab) -> tuple[str, str]:
    """How the network runs, and how it is defined."""
    return ok(lab, "network-dumpxml", "a"), ok(lab, "network-dumpxml", "a", "--inactive")


def test_an_update_is_about_what_runs_or_the_definition_or_both(running: Lab) -> None:
    update = ("net-update", "a", "add")
    assert ok(running, *update, "ip-dhcp-host", HOST) == "Updated network a live state\n"
    runs, defined = documents(running)
    assert (HOST in runs, HOST in defined) == (True, False)

    said = ok(running, *update, "outgoing", DENY, "--live", "--config")
    assert said == "Updated network a persistent config and live state\n"
    runs, defined = documents(running)
    assert (DENY in runs, DENY in defined) == (True, True)

    said = ok(running, "net-update", "a", "delete", "outgoing", DENY, "--config")
    assert said == "Updated network a persistent config\n"
    assert DENY not in documents(running)[1]

    ok(running, "network-stop", "a")
    file = running.paths.state / "host.xml"
    file.write_text(HOST)
    assert (
        ok(running, *update, "ip-dhcp-host", str(file)) == "Updated network a persistent config\n"
    )
    assert HOST in ok(running, "network-dumpxml", "a")


def test_an_update_tells_what_deserves_a_look_in_its_rule_and_nothing_that_did_before(
    running: Lab,
) -> None:
    update = ("net-update", "a", "add", "incoming")
    forward = '<allow port="80" domain="nobody"/>'
    first = vnet(running, *update, forward)
    assert first.stdout == "Updated network a live state\n"
    line = 1 + documents(running)[0].splitlines().index(f"      {forward}")
    assert first.stderr.startswith(f"a:{line}: warning: no guest is known as nobody now")
    shadowed = vnet(running, *update, '<deny source="192.0.2.0/24"/>', "--live", "--config").stderr
    assert shadowed == ""
    again = vnet(running, *update, '<deny port="25" source="192.0.2.7"/>').stderr
    assert "this rule never decides anything: an earlier one" in again
    assert "nobody" not in again


def test_an_update_names_its_operands_as_virsh_does(running: Lab) -> None:
    named = ["--network", "a", "--section", "ip-dhcp-host", "--xml", HOST, "--command", "add-last"]
    assert ok(running, "net-update", *named, "--live") == "Updated network a live state\n"
    changed = HOST.replace("0.10", "0.11")
    ok(running, "net-update", "a", "modify", "ip-dhcp-host", "-", stdin=changed)
    assert changed in documents(running)[0]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["add", "portgroup", "<portgroup/>"], "networks have no section portgroup: ports have no"),
        (["frob", "ip", "<ip/>"], "unknown command: 'frob' (one of add-first, add-last, add"),
        (["add", "ips", "<ip/>"], "unknown section: 'ips' (did you mean ip?)"),
        (
            ["add", "ip", '<ip address="10.1.0.9" prefix="24"/>'],
            "the document of a has one problem",
        ),
        (["delete", "outgoing", DENY], "a has no <deny> like that"),
        (["add", "ip", "<ip/>", "--current", "--live"], "--current and --live don't go together"),
        (["add", "ip", "/nowhere.xml"], "can't read /nowhere.xml"),
    ],
)
def test_an_update_that_cant_be_changes_nothing(running: Lab, argv: list[str], said: str) -> None:
    before = documents(running)
    done = vnet(running, "net-update", "a", *argv)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert documents(running) == before


def test_what_can_not_be_stored_is_taken_back_from_what_runs(running: Lab) -> None:
    """The second definition's address is taken by another network: only the store knows it."""
    ok(running, "network-define", "-", stdin=document("b", address="10.5.0.1"))
    ok(running, "network-define", "-", stdin=document("a", address="10.4.0.1"))
    before = documents(running)
    taken = '<bridge name="vn-b"/>'
    done = vnet(running, "net-update", "a", "modify", "bridge", taken, "--live", "--config")
    assert done.returncode == 1
    assert documents(running) == before


def test_a_transient_network_is_updated_live(lab: Lab) -> None:
    ok(lab, "network-create", "-", stdin=document("a"))
    assert "live state" in ok(lab, "net-update", "a", "add", "outgoing", DENY)
    assert DENY in ok(lab, "network-dumpxml", "a")
    done = vnet(lab, "net-update", "a", "add", "outgoing", DENY, "--config")
    assert "a is transient: it has no definition to change" in done.stderr


def test_titles_descriptions_and_metadata(running: Lab) -> None:
    assert ok(running, "net-desc", "a") == "No description for network: a\n"
    assert ok(running, "net-desc", "a", "Two", "words", "--config", "--live") == (
        "Network description updated successfully\n"
    )
    assert ok(running, "net-desc", "a") == "Two words\n"
    assert "title updated" in ok(running, "net-desc", "a", "--title", "--new-desc", "T", "--config")
    assert ok(running, "net-desc", "a", "--title", "--config") == "T\n"
    edited = ok(running, "net-desc", "a", "--edit", "--config", environ={"EDITOR": "sed -i s/o/0/"})
    assert edited == "Network description updated successfully\n"
    assert ok(running, "net-desc", "a", "--config") == "Tw0 words\n"
    assert ok(running, "net-desc", "a", "", "--config").endswith("successfully\n")
    assert "<description" not in documents(running)[1]

    uri = "urn:test"
    assert "no metadata of urn:test" in vnet(running, "net-metadata", "a", uri).stderr
    setting = ("--set", "<owner>me</owner>", "--key", "t", "--config", "--live")
    assert ok(running, "net-metadata", "a", uri, *setting) == "Metadata modified\n"
    assert ok(running, "net-metadata", "a", uri) == "<owner>me</owner>\n"
    assert told(running, "net-metadata", "a", uri) == {"metadata": "<owner>me</owner>"}
    assert ok(running, "net-metadata", "a", uri, "--remove") == "Metadata removed\n"
    runs, defined = documents(running)
    assert (uri in runs, uri in defined) == (False, True)


def test_an_editor_changes_a_definition(running: Lab) -> None:
    edit = ("network-edit", "a")
    assert ok(running, *edit, environ={"VISUAL": "true"}) == (
        "Network a XML configuration not changed.\n"
    )
    done = ok(running, *edit, environ={"VISUAL": "sed -i s/10.1.0.200/10.1.0.199/"})
    assert done.startswith("Network a XML configuration edited.\nIt runs on")
    assert "10.1.0.199" in documents(running)[1]
    for editor, said in (
        ("/no/such/editor", "can't run the editor /no/such/editor"),
        ("false", "the editor false ended with status 1"),
        ("'", "VISUAL is no command"),
        ("sed -i s/network/netwrk/", "not a <network>"),
    ):
        failed = vnet(running, *edit, environ={"VISUAL": editor})
        assert failed.returncode == 1
        assert said in failed.stderr
    assert "10.1.0.199" in documents(running)[1]


def test_a_mistake_gets_a_second_chance(running: Lab, tmp_path: Path) -> None:
    """The first edit breaks the address, the second mends it: the text isn't lost in between."""
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\nif grep -q 300 "$1"; then sed -i s/10.1.0.300/10.1.0.150/ "$1"\n'
        'else sed -i s/10.1.0.200/10.1.0.300/ "$1"; fi\n'
    )
    editor.chmod(0o755)
    with Typist(command(running, "network-edit", "a"), {"EDITOR": str(editor)}) as typist:
        typist.wait_for("10.1.0.300")
        typist.wait_for("Try again? [y,n,?]: ")
        typist.type("what?\n")
        typist.wait_for("throw the changes away")
        typist.wait_for("Try again? [y,n,?]: ")
        typist.type("y\n")
        typist.wait_for("XML configuration edited.")
        assert typist.end() == 0
    assert "10.1.0.150" in documents(running)[1]


def test_what_others_stored_meanwhile_isnt_overwritten(running: Lab, tmp_path: Path) -> None:
    theirs = " ".join(command(running, "network-desc", "a", "theirs", "--config"))
    editor = tmp_path / "editor"
    editor.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/done ] || {theirs}\n: >{tmp_path}/done\n"
        'sed -i "s/<network>/<network><!-- mine -->/" "$1"\n'
    )
    editor.chmod(0o755)
    with Typist(command(running, "network-edit", "a"), {"EDITOR": str(editor)}) as typist:
        typist.wait_for("was changed since you read it")
        typist.wait_for("+  <description>theirs</description>")
        typist.wait_for("Try again? [y,n,?]: ")
        typist.type("n\n")
        assert typist.end() == 1
    assert "theirs" in documents(running)[1]
    assert "mine" not in documents(running)[1]


def test_a_plan_says_with_its_status_whether_there_is_something_to_do(running: Lab) -> None:
    assert ok(running, "network-plan") == "apply a: nothing to do\n"
    done = vnet(running, "network-plan", "--json", "--verb", "restart", "a")
    assert done.returncode == 2
    (plan,) = json.loads(done.stdout)
    assert (plan["network"], plan["verb"], plan["disturbs"]) == (
        "a",
        "restart",
        "disconnects guests",
    )
    assert {"text", "disturbs"} == plan["steps"][0].keys()
    longer = document("a").replace("10.1.0.200", "10.1.0.201")
    done = vnet(running, "network-plan", "--file", "-", stdin=longer)
    assert done.returncode == 2
    assert done.stdout.startswith("run -: 2 steps, restarts DHCP/DNS\n")
    assert vnet(running, "network-plan", "nobody").returncode == 1


def test_a_trial_is_kept_when_it_is_confirmed_elsewhere(running: Lab) -> None:
    edited = running.paths.state / "edited.xml"
    edited.write_text(document("a", "<dns><host name='x' address='10.1.0.9'/></dns>"))
    trial = call(running, "network-define", str(edited), "--confirm-within", "60")
    eventually(lambda: vnet(running, "network-confirm").returncode == 0)
    out, err = trial.communicate(timeout=20)
    assert trial.returncode == 0
    assert "vnet network-confirm" in err
    assert out.endswith("Confirmed\n")
    assert 'name="x"' in documents(running)[1]


def test_a_trial_that_nobody_confirms_or_that_is_interrupted_is_taken_back(running: Lab) -> None:
    done = vnet(running, "network-stop", "a", "--confirm-within", "1")
    assert done.returncode == 1
    assert done.stderr.endswith("Taken back: nobody confirmed it\n")
    assert ok(running, "network-list", "--name") == "a\n"

    trial = call(running, "network-stop", "a", "--confirm-within", "600")
    eventually(lambda: ok(running, "network-list", "--name") == "")
    refused = vnet(running, "network-start", "a")
    assert "changes on trial" in refused.stderr
    trial.terminate()
    trial.communicate(timeout=20)
    assert trial.returncode == 128 + 15
    assert ok(running, "network-list", "--name") == "a\n"
    ok(running, "network-stop", "a")


def test_a_trial_whose_change_fails_leaves_nothing_open(running: Lab) -> None:
    done = vnet(running, "network-start", "a", "--confirm-within", "600")
    assert (done.returncode, done.stderr) == (1, "error: running already: a\n")
    assert "no changes wait" in vnet(running, "network-confirm").stderr
    assert "no changes wait" in vnet(running, "network-rollback").stderr


@pytest.mark.parametrize(("key", "status", "left"), [("y", 0, ""), ("n", 1, "a\n")])
def test_at_a_terminal_the_person_is_asked(running: Lab, key: str, status: int, left: str) -> None:
    argv = command(running, "network-stop", "a", "--confirm-within", "60")
    with Typist(argv) as typist:
        typist.wait_for("Network a stopped")
        typist.wait_for("Keep it? It is taken back in ")
        typist.wait_for("Keep it? It is taken back in ")  # it counts down
        typist.type(f"{key}\n")
        assert typist.end() == status
    assert ok(running, "network-list", "--name") == left
    if not left:
        ok(running, "network-start", "a")


def test_with_a_daemon_a_trial_doesnt_need_the_process_that_began_it(lab: Lab) -> None:
    ok(lab, "network-define", "-", stdin=document("a"))
    with Daemon(lab.paths):
        ok(lab, "network-start", "a")
        done = vnet(lab, "network-stop", "a", "--confirm-within", "60")
        assert done.returncode == 0
        identity = done.stderr.split()[-1]
        assert ok(lab, "network-rollback", identity).startswith("Taken back: ")
        assert ok(lab, "network-list", "--name") == "a\n"
        listing = ["-X", "importtime", *command(lab, "network-list")[1:]]
        timed = subprocess.run(
            [command(lab)[0], *listing], capture_output=True, text=True, check=True
        )
        loaded = {line.rpartition("|")[2].strip() for line in timed.stderr.splitlines()}
        assert "vnet_tui.client.remote" in loaded
        assert not loaded & {"vnet_tui.engine.engine", "lxml", "pyroute2", "textual", "argparse"}
        ok(lab, "network-stop", "a")
