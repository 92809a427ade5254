"""Where :class:`.sqlite.SQLiteTokenCache` has its file, and the directory around it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.caches.database_file import SCHEMA_VERSION
from azure_certvar_credential.exceptions import ConfigurationError

_DIRECTORY = "azure-certvar-credential"
# With the schema's version: an older and a newer release of this package do not get in each other's way.
_FILE = f"tokens-v{SCHEMA_VERSION}.db"
PRIVATE_DIRECTORY = 0o700


def absolute_path(path: object) -> Path | None:
    """Return a caller's path, which stays the same when the working directory changes; None for None.

    :raises ConfigurationError: it is not the path of a file.
    """
    if path is None:
        return None
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise ConfigurationError(f"path must be a str or a path of a file, not {redact_value(path)}")
    text = os.fspath(path)
    if text in {"", ":memory:"} or "\0" in text:
        raise ConfigurationError(
            f"path must name a file, not {text!r}. Without token_cache, a credential keeps its tokens in memory"
        )
    return Path(text).absolute()


def default_path() -> Path:
    """Return the path of the file in the user's cache directory.

    :raises OSError: there is no home directory.
    """
    import platformdirs

    home = path = None
    with suppress(RuntimeError):  # the user is unknown and has none; some versions of platformdirs return "~" then
        home = Path.home()
        path = platformdirs.user_cache_path(_DIRECTORY, appauthor=False) / _FILE
    # Service users often have a home directory that does not exist, and is not to be made.
    if path is None or not path.is_absolute() or (home in path.parents and not Path.home().is_dir()):
        raise OSError("there is no home directory for the token cache: set HOME, or give SQLiteTokenCache a path")
    return path


def make_private_directory(directory: Path) -> None:
    """Make a directory that only its owner may enter, and its missing parents alike; one that exists is left as it is.

    :raises OSError: it cannot be made.
    """
    missing = [directory, *directory.parents]
    for one in reversed(missing):
        with suppress(FileExistsError):
            if not one.is_dir():
                one.mkdir(mode=PRIVATE_DIRECTORY)
