"""Whether bfloat16 changes what is learned: one study at both precisions, run by run.

synaptree study run results/quick-1/study.yaml --out runs/quick-1
synaptree study run results/quick-1-bfloat16/study.yaml --out runs/quick-1-bfloat16
python benchmarks/precision.py
"""

from pathlib import Path

from common import options
from scipy.stats import wilcoxon

from synaptree import load
from synaptree.analysis.statistics import mean_interval
from synaptree.results.columns import by_kind

RESULTS = Path(__file__).parent.parent / "results"


def section() -> list[str]:
    """Differences of test errors, with 95% intervals, and a rank test over all pairs."""
    exact, rough = (load(RESULTS / name) for name in ("quick-1", "quick-1-bfloat16"))
    lines: list[str] = []
    every: list[float] = []
    apart = intervals = 0
    for (name, a), (_, b) in zip(by_kind(exact), by_kind(rough), strict=True):
        lines += [f"**{name}**", "", "| rule | float32 | bfloat16 − float32 |", "|---|---|---|"]
        for label in dict.fromkeys(a["label"]):
            errors = [f[f["label"] == label].set_index("seed")["test_error"] for f in (a, b)]
            differences = (errors[1] - errors[0]).dropna().tolist()
            mean, low, high = mean_interval(differences)
            intervals += 1
            apart += not low <= 0 <= high
            every += differences
            shown = f"{100 * mean:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}] points"
            lines.append(f"| {label} | {100 * errors[0].mean():.2f}% | {shown} |")
        lines.append("")
    p = float(wilcoxon(every).pvalue)
    mean, low, high = mean_interval(every)
    return [
        *lines,
        f"Over all {len(every)} pairs {100 * mean:+.2f} points [{100 * low:+.2f}, "
        f"{100 * high:+.2f}], Wilcoxon p = {p:.2f}; {apart} of {intervals} intervals leave out "
        f"zero (by chance {0.05 * intervals:.1f}).",
        "",
    ]


if __name__ == "__main__":
    options(__doc__)
    print("\n".join(section()))
