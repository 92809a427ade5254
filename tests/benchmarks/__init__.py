"""The package's figures as ratios to azure-identity, measured on request; pytest collects nothing here.

>>> tests/run --setup && .test-env/venv/bin/python -m tests.benchmarks --quick      # doctest: +SKIP

Ours and theirs are measured in turns, in one run, against one token endpoint that has a process of its own
(:mod:`.server`). A figure is the median of its repetitions. On a machine that does other things too, ratios hold where
times do not; ``--json`` notes the load.
"""
