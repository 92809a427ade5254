"""Shows and empties the token cache of this computer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from azure_certvar_credential._cli.failures import CommandError
from azure_certvar_credential._cli.output import facts, screen, write_json, write_line
from azure_certvar_credential.caches.sqlite import SQLiteTokenCache


def show_path(file: Path | None, *, as_json: bool) -> None:
    """Print where the cache is."""
    with _cache(file) as cache:
        path = str(cache.path)
    if as_json:
        write_json({"path": path})
    else:
        write_line(path)


def show_statistics(file: Path | None, *, as_json: bool) -> None:
    """Print what is in the cache."""
    with _cache(file) as cache:
        path, found = str(cache.path), cache.stats()
    dates = {
        name: None if on is None else datetime.fromtimestamp(on, timezone.utc)
        for name, on in (("next_expiry", found.next_expiry), ("last_expiry", found.last_expiry))
    }
    if as_json:
        shown = {name: None if date is None else date.isoformat() for name, date in dates.items()}
        write_json({"path": path, "entries": found.entries, "bytes": found.bytes, **shown})
        return
    rows = {"file": path, "entries": f"{found.entries:,}", "size": f"{found.bytes:,} bytes"}
    rows |= {name.replace("_", " "): f"{date:%Y-%m-%d %H:%M:%S} UTC" for name, date in dates.items() if date}
    facts(screen(), rows)


def clear(file: Path | None, *, as_json: bool) -> None:
    """Drop every entry, and print how many there were."""
    with _cache(file) as cache:
        path, entries = str(cache.path), cache.stats().entries
        cache.clear()
    if as_json:
        write_json({"path": path, "dropped": entries})
    else:
        write_line(f"dropped {entries:,} {'entry' if entries == 1 else 'entries'} of {path}")


@contextmanager
def _cache(file: Path | None) -> Iterator[SQLiteTokenCache]:
    """Open the cache.

    :raises CommandError: there is no place for it, or it cannot be used; its message says what to do.
    """
    cache = SQLiteTokenCache(file)
    try:
        yield cache
    except OSError as error:
        failure = str(error)
    else:
        return
    finally:
        cache.close()
    raise CommandError(f"cannot use the token cache: {failure}")
