"""Every public name that users call has an example in its docstring, and the examples run."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.docs.conftest import Stage
from tests.docs.docstrings import documented, needs_example
from tests.real.servers.azurite import Azurite
from tests.real.softhsm import PIN, SoftHsm


def test_every_public_name_that_users_call_has_an_example() -> None:
    assert [one.path for one in documented() if needs_example(one) and not one.examples] == []


def test_no_example_is_skipped() -> None:
    assert [one.path for one in documented() if any(example.options for example in one.examples)] == []


def test_the_examples_run(stage: Stage, azurite: Azurite, softhsm: SoftHsm) -> None:
    more = {
        "account_url": azurite.account_url,
        "module": softhsm.module,
        "pin": PIN,
    }
    played = replace(stage, names={**stage.names, **more}).play(
        "--docstrings", AZURE_CLIENT_CERTIFICATE=stage.environment["APP_CERT"], **softhsm.environment
    )

    ran = re.findall(r"^ran docstring (\S+)$", played.stdout, re.MULTILINE)
    assert ran == [one.path for one in documented() if one.examples]
