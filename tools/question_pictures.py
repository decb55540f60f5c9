"""Write docs/question/NAME.svg: the pictures of docs/start.md and of the pages in docs/question.

python tools/question_pictures.py

They are drawn from docs/question/measured.json, which tools/question_measured.py writes.
"""

import json
from collections.abc import Callable
from pathlib import Path

import question_masks
import question_networks as networks
import question_trees as trees

PICTURES = Path(__file__).parent.parent / "docs" / "question"
KNOWN = json.loads((PICTURES / "measured.json").read_text("utf-8"))
PAIRS = KNOWN["views"]["pairs"]

DRAW: dict[str, Callable[[], str]] = {
    "start": lambda: networks.start(KNOWN["start"]),
    "rules": trees.grammar_rules,
    "tree": trees.hidden_tree,
    "synonyms": trees.synonyms,
    "synapse": networks.synapse,
    "ladder": lambda: networks.ladder(KNOWN["knows"]),
    "families": networks.families,
    "masks": lambda: question_masks.masks(KNOWN["masks"]),
    "view-sibling": lambda: trees.one_input("sibling", PAIRS["sibling"]),
    "view-half-mask": lambda: trees.one_input("half_mask", PAIRS["half_mask"]),
    "view-halves": lambda: trees.unit_halves("half_mask:neurons", PAIRS["half_mask:neurons"]),
    "view-same-class": lambda: trees.several("same_class", PAIRS["same_class"]),
    "view-trace": lambda: trees.several("trace:3", PAIRS["trace:3"]),
    "view-same-latent": lambda: trees.several("same_latent:1", PAIRS["same_latent:1"]),
    "view-movie": lambda: trees.movie("movie:0.2", PAIRS["movie:0.2"]),
    "tiers": lambda: trees.tiers(KNOWN["views"]["tiers"]),
    "depth": lambda: networks.depth(KNOWN["untrained"]),
    "data": lambda: networks.data(KNOWN["curve"]),
}

if __name__ == "__main__":
    for name, draw in DRAW.items():
        (PICTURES / f"{name}.svg").write_text(draw(), "utf-8")
