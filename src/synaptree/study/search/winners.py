"""The winners of a search as a study file, which trains them on whatever seeds are put there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synaptree.rules import source_of
from synaptree.study.search.contest import Search
from synaptree.study.search.race import Winner
from synaptree.study.write import fields_of, flow

NAME = "winners.yaml"
HEAD = """\
# The best setting of each rule on each kind of grammar, by `synaptree study search`.
# This is a study file: put other seeds here, and give it to `synaptree study run`. For
# `synaptree study needs` put two sizes in place of each P too, as P: [64, 4096].
"""


def winners_text(search: Search, winners: Sequence[Winner], folder: Path) -> str:
    """The text of a study file in this folder with the winners' runs, on the search's seeds.

    What is known of each winner stands below `anchors`, which a study file may have and nothing
    reads but a program of yours.
    """
    seeds = [dict(seed) for seed in search.seeds]
    alike = all(len(set(seed.values())) == 1 for seed in seeds)
    # Other seeds are a grid of three lists; these would not be readable beside each entry.
    axes = {name.removesuffix("_seed"): sorted({seed[name] for seed in seeds}) for name in seeds[0]}
    head = flow(axes["grammar"] if alike else axes)
    own = rule_files(winners)
    beside = f"# Use a copy that lies beside {', '.join(map(repr, own))}.\n" if own else ""
    lines = [HEAD, beside, f"seeds: {head}\nruns:\n"]
    for winner in winners:
        lines.append(f"  # {winner.contest.kind}: {sentence(winner)}\n")
        lines.append(f"  - {flow(fields_of(winner.specs[0], folder))}")
        lines.append("\n")
    lines.append("anchors:\n  winners:\n")
    lines += [f"    - {flow(facts(winner))}\n" for winner in winners]
    return "".join(lines)


def rule_files(winners: Sequence[Winner]) -> list[str]:
    """The files of the winners' rules, by base name: a study file names a rule from its folder."""
    sources = (source_of(type(winner.specs[0].rule)) for winner in winners)
    return sorted({source.file for source in sources if source})


def sentence(winner: Winner) -> str:
    """What a reader of a winner must know, in one line."""
    return (
        f"{winner.contest.rule}, error {100 * winner.error:.1f}% on {len(winner.errors)} seeds; "
        f"best of {winner.settings} settings, {winner.verdict}"
    )


def facts(winner: Winner) -> dict[str, Any]:
    """A winner for programs."""
    contest = winner.contest
    return {
        "kind": contest.kind,
        "rule": contest.rule,
        "setting": contest.space.setting(winner.point),
        "error": round(winner.error, 6),
        "errors": [round(error, 6) for error in winner.errors],
        "space": contest.space.name,
        "settings": winner.settings,
        "runs": winner.runs,
        "failed": winner.failed,
        "widened": winner.widened,
        "edges": list(winner.edges.values()),
        "budget": contest.budget,
        "run_ids": [spec.run_id for spec in winner.specs],
    }
