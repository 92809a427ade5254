"""At a real terminal: colours, prompts, no secrets, and an end by Ctrl-C; and none of these in a pipe."""

from __future__ import annotations

import re

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Fault
from tests.cli.commands.conftest import GRAPH, SignedUp, pfx
from tests.cli.commands.kit import program
from tests.cli.commands.terminal import Terminal, plain

ESCAPE = "\x1b["


SIGNS_IN = {
    "inspect": [],
    "assertion": [],
    "token": ["--scope", f"{GRAPH}/.default"],
    "doctor": [],
    "explain": ["700027"],
}


@pytest.mark.parametrize("name", SIGNS_IN)
def test_a_command_at_a_terminal_has_colours_and_80_columns(signed_up: SignedUp, name: str) -> None:
    with Terminal(name, *SIGNS_IN[name], **signed_up.environment) as terminal:
        ran = terminal.end()

    assert ran.code == 0
    assert f"{ESCAPE}1" in ran.out
    assert max(len(line) for line in plain(ran.out).splitlines()) <= 80
    assert max(map(len, plain(ran.out).split())) <= 80, "a token, or a key"


@pytest.mark.parametrize("name", [*SIGNS_IN, "new", "demo"])
def test_a_command_in_a_pipe_has_neither_and_leaves_standard_error_to_messages(signed_up: SignedUp, name: str) -> None:
    ran = program(
        name, *(["app", "--key", "EC-P256"] if name == "new" else SIGNS_IN.get(name, [])), **signed_up.environment
    )

    assert ran.code == 0
    assert ESCAPE not in ran.out + ran.err
    assert (ran.err == "") == (name != "new")
    assert all(line == line.rstrip() for line in ran.out.splitlines())


def test_no_color_is_honoured_at_a_terminal(certificate: ClientCertificate) -> None:
    with Terminal("inspect", AZURE_CLIENT_CERTIFICATE=pfx(certificate), NO_COLOR="1") as terminal:
        ran = terminal.end()

    # Bold and italics are no colours (https://no-color.org); 3x and 9x are the foregrounds.
    assert not re.search(r"\x1b\[(\d+;)*[39]\d", ran.out)
    assert ran.code == 0


def test_a_password_is_asked_for_without_an_echo(certificate: ClientCertificate) -> None:
    with Terminal("inspect", AZURE_CLIENT_CERTIFICATE=pfx(certificate, "hunter2")) as terminal:
        terminal.wait_for("Password of the certificate: ")
        terminal.type("hunter2\n")
        ran = terminal.end()

    assert ran.code == 0
    assert certificate.thumbprint in ran.out
    assert "hunter2" not in ran.out


def test_a_prompt_is_not_hidden_by_a_spinner(signed_up: SignedUp, certificate: ClientCertificate) -> None:
    environment = {**signed_up.environment, "AZURE_CLIENT_CERTIFICATE": pfx(certificate, "hunter2")}

    with Terminal("token", "--scope", f"{GRAPH}/.default", **environment) as terminal:
        terminal.wait_for("Password of the certificate: ")
        before = terminal.text
        terminal.type("hunter2\n")
        ran = terminal.end()

    assert "getting a token" not in before
    assert ran.code == 0


def test_a_wrong_password_is_refused(certificate: ClientCertificate) -> None:
    with Terminal("inspect", "--password", "prompt", AZURE_CLIENT_CERTIFICATE=pfx(certificate, "hunter2")) as terminal:
        terminal.wait_for("Password: ")
        terminal.type("hunter3\n")
        ran = terminal.end()

    assert ran.code == 1
    assert "error: " in plain(ran.out)
    assert "hunter3" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["new", "app"], "--show-key"),
        (["token", "--scope", f"{GRAPH}/.default", "--output", "header"], "--show-token"),
        (["assertion", "--compact"], "--show-token"),
    ],
    ids=["new", "token", "assertion"],
)
def test_a_terminal_shows_a_secret_only_if_it_is_asked_for_by_name(
    signed_up: SignedUp, arguments: list[str], flag: str
) -> None:
    with Terminal(*arguments, **signed_up.environment) as terminal:
        ran = terminal.end()

    assert ran.code == 2
    assert flag in plain(ran.out)
    assert max(map(len, plain(ran.out).split())) < 100


def test_a_terminal_shows_what_was_asked_for_by_name() -> None:
    with Terminal("new", "app", "--key", "EC-P256", "--show-key") as terminal:
        ran = terminal.end()

    assert ran.code == 0
    assert re.search(r"^MII[A-Za-z0-9+/=]{500,}$", plain(ran.out), re.MULTILINE)


def test_ctrl_c_ends_it_with_130_and_without_a_traceback(signed_up: SignedUp) -> None:
    signed_up.entra.inject(Fault.hang(30), times=None)

    with Terminal("token", "--scope", f"{GRAPH}/.default", **signed_up.environment) as terminal:
        terminal.wait_for("getting a token")
        signed_up.entra.wait_for_hanging()
        terminal.interrupt()
        ran = terminal.end()

    assert ran.code == 130
    assert "Traceback" not in ran.out
    assert "\x1b[?25h" in ran.out, "the cursor that the spinner hid is back"


def test_ctrl_c_at_a_prompt_ends_it_too(certificate: ClientCertificate) -> None:
    with Terminal("inspect", AZURE_CLIENT_CERTIFICATE=pfx(certificate, "hunter2")) as terminal:
        terminal.wait_for("Password of the certificate: ")
        terminal.interrupt()
        ran = terminal.end()

    assert ran.code == 130
    assert "Traceback" not in ran.out


def test_the_demo_pauses_before_each_step() -> None:
    with Terminal("demo", "--pause") as terminal:
        for number in range(1, 7):
            terminal.wait_for(f"\n{number}. ")
            if number < 6:
                terminal.wait_for("Enter for the next step" if number == 1 else f"{number}. ")
            terminal.type("\n")
        ran = terminal.end()

    assert ran.code == 0
    assert plain(ran.out).count("Enter for the next step") == 5
