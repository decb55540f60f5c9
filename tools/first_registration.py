"""Keep what the first registration said of its own runs, for the package.

python tools/first_registration.py    # reads results/laptop-1
"""

from pathlib import Path

from synaptree import load
from synaptree.audit.kept import audits
from synaptree.claims.base import Outcome
from synaptree.claims.first.judged import FILE, packed
from synaptree.claims.judge import rule_forms, verdicts_of

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "laptop-1"


def outcomes() -> list[Outcome]:
    """The outcomes on the committed runs."""
    frame = load(RESULTS)
    return verdicts_of(frame, audits(RESULTS, rule_forms(frame)))


if __name__ == "__main__":
    file = ROOT / "src" / "synaptree" / "claims" / "first" / FILE
    file.write_bytes(packed(outcomes()))
