"""The version, which the wheel's metadata, ``__version__`` and the ``User-Agent`` take from here."""

__version__ = "0.1.0"
