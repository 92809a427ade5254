"""What a server answers has one outcome with every credential in every state, in time, and tells no secret."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Judge
from tests.faults.table import fault, journeys

pytestmark = pytest.mark.usefixtures("uncovered")


@pytest.mark.parametrize(("claim", "credential"), journeys("statuses", "redirects", "bodies and encodings", "times"))
async def test_an_answer_has_its_outcome_and_tells_no_secret(claim: str, credential: str, judge: Judge) -> None:
    assert await judge(credential, fault(claim)) == []
