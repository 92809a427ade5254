"""What an error reporter makes of an exception: texts, attributes, and the variables of every frame behind it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from types import FrameType
from typing import Any

# Frames of the tests themselves hold what they test with.
_OURS_TO_HOLD = ("/tests/", "/_pytest/", "/pluggy/")


def reported(error: BaseException) -> str:
    """Return all that is shown of an exception and of those that it came from."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    texts: list[str] = []
    while waiting:
        one = waiting.pop()
        if one is None or any(one is other for other in seen):
            continue
        seen.append(one)
        texts += [str(one), repr(one), _serialised(one.args), _serialised(vars(one))]
        for frame, line in traceback.walk_tb(one.__traceback__):
            if not _is_a_tests_frame(frame):
                texts += [f"{frame.f_code.co_filename}:{line}", _serialised(frame.f_locals)]
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return "\n".join(texts)


def assert_reports_none_of(error: BaseException, secrets: Iterable[str]) -> None:
    """Fail if a secret is anywhere in what is reported."""
    shown = reported(error)
    for secret in secrets:
        place = shown.find(secret)
        assert place < 0, f"… {shown[max(0, place - 300) : place]} <here>"


def _is_a_tests_frame(frame: FrameType) -> bool:
    name = frame.f_code.co_filename.replace("\\", "/")
    return any(part in name for part in _OURS_TO_HOLD) and "azure_certvar_credential" not in name


def _serialised(value: Any, depth: int = 0) -> str:
    """As reporters do it: containers are walked, and of anything else the repr is taken."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("latin-1")
    if isinstance(value, str) or depth > 6:
        return str(value) if isinstance(value, str) else ""
    if isinstance(value, dict):
        return " ".join(f"{key}={_serialised(item, depth + 1)}" for key, item in list(value.items()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return " ".join(_serialised(item, depth + 1) for item in value)
    return repr(value)
