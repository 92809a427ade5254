"""In a month a credential sends the requests that are needed, warns of outages alone, and holds no more than before."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from tests.soak.thirty_days import Life, needed

pytestmark = pytest.mark.usefixtures("uncovered")

KINDS: dict[str, tuple[Any, Any]] = {
    "sync": (CertVarCredential, EntraEmulator.transport),
    "aio": (AsyncCertVarCredential, EntraEmulator.async_transport),
}

# The interpreter keeps small objects that were freed, up to some thousand of a kind. A token with its request has more
# than 2 KiB, and there are over a thousand of them.
_BREATH = 100 * 1024
# A thread that has just ended may not have let go of its last objects.
_UNDER_WAY = 5


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_month_costs_what_is_needed_and_leaves_nothing_behind(kind: str) -> None:
    diary = await Life(*KINDS[kind]).run()

    answers, failures = needed()
    assert diary.answers == answers
    assert diary.warnings == {"could not refresh the token": failures}
    # The first five days are over when the first is taken, so everything is there that is made once.
    first, *later = diary.footprints
    assert max(one.memory for one in later) < first.memory + _BREATH
    assert max(one.objects for one in later) <= first.objects + _UNDER_WAY
    assert {(one.threads, one.descriptors) for one in later} == {(first.threads, first.descriptors)}
