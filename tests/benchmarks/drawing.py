"""Draws rows as bars on a linear scale that begins at nothing and ends at azure-identity."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.chart import Row

# Ours, theirs, floor, goal, text; GitHub's own backgrounds show through.
_COLOURS = {
    "light": ("#0969da", "#d0d7de", "#1f2328", "#bc4c00", "#1f2328"),
    "dark": ("#4493f8", "#3d444d", "#f0f6fc", "#ffa657", "#f0f6fc"),
}


def draw(rows: Sequence[Row], theme: Literal["light", "dark"], digest: str) -> str:
    """Return the picture as SVG, the same for the same rows.

    :param digest: stands in the picture as its identifier, so that a test finds the run that it is of.
    """
    ours, theirs, floor, goal, text = _COLOURS[theme]
    # Text stays text: a reader can search for it, and the test does.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": digest, "font.family": "sans-serif"}):
        figure = Figure(figsize=(9, 0.62 * len(rows) + 1.1), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            axes.barh(place, 1, height=0.62, color=theirs).patches[0].set_gid(f"theirs-{place}")
            axes.barh(place, row.ours, height=0.62, color=ours).patches[0].set_gid(f"ours-{place}")
            for value, colour, style in ((row.floor, floor, "-"), (row.goal, goal, ":")):
                if value is not None:
                    axes.plot([value, value], [place - 0.42, place + 0.42], color=colour, linestyle=style, linewidth=2)
            axes.text(1.02, place, f"{row.ours:.3g}", color=text, va="center", fontweight="bold")
        axes.set_yticks(range(len(rows)), [row.name for row in rows], color=text)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "azure-identity = 1"], color=text)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.1)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        figure.legend(
            handles=[
                Patch(color=ours, label="azure-certvar-credential"),
                Patch(color=theirs, label="azure-identity"),
                Line2D([], [], color=floor, label="floor: azure-core's pipeline alone"),
                Line2D([], [], color=goal, linestyle=":", label="goal"),
            ],
            loc="outside upper right",
            ncols=4,
            frameon=False,
            labelcolor=text,
            fontsize="small",
        )
        written = io.StringIO()
        title = "Time beside azure-identity's; less is better"
        metadata = {"Date": None, "Creator": None, "Title": title, "Identifier": digest}
        figure.savefig(written, format="svg", transparent=True, metadata=metadata)
    return written.getvalue()
