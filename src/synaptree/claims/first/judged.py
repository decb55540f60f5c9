"""What the first registration said of its own runs, results/laptop-1."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources

from synaptree.claims.base import Evidence, Outcome

FILE = "judged.json.gz"


def packed(outcomes: Sequence[Outcome]) -> bytes:
    """Outcomes as the bytes of a file."""
    text = json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False)
    return gzip.compress(text.encode(), 9, mtime=0)


def unpacked(content: bytes) -> list[Outcome]:
    """The outcomes in a file's bytes."""
    return [
        Outcome(
            number=each["number"],
            claim=each["claim"],
            verdict=each["verdict"],
            effects=tuple(each["effects"]),
            evidence=tuple(Evidence(**evidence) for evidence in each["evidence"]),
        )
        for each in json.loads(gzip.decompress(content))
    ]


def own_outcomes() -> list[Outcome]:
    """The outcomes of the first registration on the runs that it was registered for."""
    return unpacked(resources.files("synaptree.claims.first").joinpath(FILE).read_bytes())
