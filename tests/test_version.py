"""The version stands in one place, and everything that tells it agrees."""

from __future__ import annotations

from importlib.metadata import version

from azure_certvar_credential import __version__
from azure_certvar_credential._transport.pipeline import SDK_MONIKER


def test_the_wheels_metadata_tell_the_version_of_the_package() -> None:
    assert version("azure-certvar-credential") == __version__


def test_the_user_agent_tells_the_version_of_the_package() -> None:
    assert f"certvar-credential/{__version__}" == SDK_MONIKER
