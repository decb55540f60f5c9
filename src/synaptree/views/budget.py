"""The signal budget: what each view offers a layer to learn from, exactly, in bits.

For layer l it is the mutual information between the patch that a position of the layer reads and
what the view sets beside it, averaged over positions. No rule can predict more of the one from the
other. Where it is zero, as for ``sibling`` and ``half_mask`` if m = v**(s-1), there is nothing to
learn. Two halves of the units (``half_mask:neurons``) read the same patch, and their budget is all
of it: what single patches say of themselves, and nothing about which of them are synonyms. In a
mixture of views each layer has the budget of its own view.
"""

from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.information import CELLS
from synaptree.views.registry import parse_view

SHOWN = ("sibling", "half_mask", "same_class", "trace:7", "same_latent:1", "movie:0.1")
NODES = 64  # of one level, at most


def signal_budget(model: RandomHierarchyModel, view: str) -> list[float | None]:
    """Bits for layers 1..L under a view.  None: not defined (the top has no sibling), or too large
    to compute.  Raises SynaptreeError for an unknown view."""
    parsed = parse_view(view)
    budgets: list[float | None] = []
    for level in range(1, model.L + 1):
        nodes = model.s ** (model.L - level)
        too_large = nodes > NODES or model.n * max(model.n, model.v) > CELLS
        if too_large or (parsed.needs_positions and nodes == 1):
            budgets.append(None)
            continue
        bits = [parsed.information(model, level, node) for node in range(nodes)]
        known = [b for b in bits if b is not None]
        budgets.append(sum(known) / nodes if len(known) == nodes else None)
    return budgets
