"""Whatever stands in the scope parameter is read or refused, and nothing is granted that was not asked for."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.testing.entra.errors import RefusalError
from azure_certvar_credential.testing.entra.grants.scopes import RESERVED, read_app_scope, read_user_scope

NAMES = st.text(string.ascii_letters + string.digits + "._-:", min_size=1).filter(
    lambda name: name not in RESERVED and name != ".default"
)
RESOURCES = st.sampled_from(["api://orders", "https://graph.microsoft.com", "https://contoso.com/a/b", "api://x/y"])


@given(
    resource=RESOURCES,
    slashes=st.sampled_from(["/", "//"]),
    names=st.lists(NAMES, min_size=1, unique=True),
    reserved=st.frozensets(st.sampled_from(sorted(RESERVED))),
)
def test_permissions_of_one_resource_are_read_in_their_order(
    resource: str, slashes: str, names: list[str], reserved: frozenset[str]
) -> None:
    wanted = [f"{resource}{slashes}{name}" for name in names]
    scope = read_user_scope(" ".join([*sorted(reserved), *wanted]))
    assert scope.resource == resource
    assert list(scope.names) == names
    assert scope.reserved == reserved


def code_of(read: Callable[[str], object], text: str) -> int | None:
    """The code with which the text is refused; None if it is read."""
    try:
        read(text)
    except RefusalError as refusal:
        return refusal.code
    return None


@given(st.text() | st.lists(st.sampled_from(["openid", "/", "a/b", "a//.default", "A/b", "b/c", "x"])).map(" ".join))
def test_any_text_is_read_or_refused_with_a_code(text: str) -> None:
    assert code_of(read_app_scope, text) in (None, 70011, 1002012)
    code = code_of(read_user_scope, text)
    assert code in (None, 70011, 28000)
    if code is None:
        scope = read_user_scope(text)
        asked = {part.rpartition("/")[2] for part in text.split()} - RESERVED - {".default"}
        assert set(scope.names) == asked


@pytest.mark.parametrize("text", ["api://orders/.default", "openid api://orders//.default  offline_access"])
def test_the_default_scope_names_no_permission(text: str) -> None:
    scope = read_user_scope(text)
    assert (scope.resource, scope.names) == ("api://orders", ())
