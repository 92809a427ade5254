"""One command a file, each with a ``typer.Typer`` named ``app``.

A module here imports typer and the options; what the command does is imported when it runs.
"""
