"""Whether some string has two derivations, decided exactly, and two derivations of one that has.

Two features *share* a string where both derive it. Level by level, f and g share one exactly if
some rule of f and some rule of g of the same size have children that share one, place by place.
Then a feature is ambiguous if two of its own rules do, or if a child of one of its rules is.
Topology counts as seen: children of different numbers are told apart, as they are where the places
of missing children are padded.
"""

from itertools import combinations_with_replacement
from typing import Any

from synaptree.grammar.family.level_rules import ABSENT, LevelRules

_MOST_SHOWN = 32  # features of a level in a line
Tree = tuple[int, tuple[Any, ...]]  # a feature and the trees of its children


def two_derivations(levels: tuple[LevelRules, ...]) -> tuple[Tree, Tree] | None:
    """Two different derivations of one string, or None where no string has two.

    Rules of probability 0 do not count. Both trees begin with a class.
    """
    tokens = 1 + max(int(levels[0].tuples.max()), 0)
    shared: dict[tuple[int, int], tuple[Tree, Tree]] = {
        (t, t): ((t, ()), (t, ())) for t in range(tokens)
    }
    doubtful: dict[int, tuple[Tree, Tree]] = {}
    for rules in levels:
        shared, doubtful = _level_above(rules, shared, doubtful)
    between = next((pair for (f, g), pair in shared.items() if f != g), None)
    return between or next(iter(doubtful.values()), None)


def _level_above(
    rules: LevelRules,
    shared: dict[tuple[int, int], tuple[Tree, Tree]],
    doubtful: dict[int, tuple[Tree, Tree]],
) -> tuple[dict[tuple[int, int], tuple[Tree, Tree]], dict[int, tuple[Tree, Tree]]]:
    """The pairs that share a string, and the ambiguous features, of the level of these rules."""
    used = [
        [tuple(int(c) for c in children if c != ABSENT) for children in rows[probable]]
        for rows, probable in zip(rules.tuples, rules.probabilities > 0, strict=True)
    ]
    pairs: dict[tuple[int, int], tuple[Tree, Tree]] = {}
    unclear: dict[int, tuple[Tree, Tree]] = {}
    by_children = _owners_by_shared_children(used, shared)
    for (f, i), others in by_children.items():
        for g, j in others:
            one, two = zip(
                *(shared[pair] for pair in zip(used[f][i], used[g][j], strict=True)), strict=True
            )
            trees = (f, tuple(one)), (g, tuple(two))
            if f != g:
                pairs.setdefault((f, g), trees)
            elif i != j:
                unclear.setdefault(f, trees)
            else:
                pairs.setdefault((f, f), trees)
    for f, rows in enumerate(used):
        for children in rows:
            place = next((k for k, child in enumerate(children) if child in doubtful), None)
            if f not in unclear and place is not None:
                rest = [shared[child, child] for child in children]
                rest[place] = doubtful[children[place]]
                one, two = zip(*rest, strict=True)
                unclear[f] = (f, tuple(one)), (f, tuple(two))
    return pairs, unclear


def _owners_by_shared_children(
    used: list[list[tuple[int, ...]]], shared: dict[tuple[int, int], tuple[Tree, Tree]]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """For each rule (owner, index) the rules that share a string with it, itself included."""
    everyone = [(f, i) for f, rows in enumerate(used) for i in range(len(rows))]
    if all(f == g for f, g in shared):  # the usual case: only equal tuples share a string
        same: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for f, i in everyone:
            same.setdefault(used[f][i], []).append((f, i))
        return {(f, i): same[used[f][i]] for f, i in everyone}
    found: dict[tuple[int, int], list[tuple[int, int]]] = {rule: [] for rule in everyone}
    for one, two in combinations_with_replacement(everyone, 2):
        first, second = used[one[0]][one[1]], used[two[0]][two[1]]
        if len(first) == len(second) and all(
            pair in shared for pair in zip(first, second, strict=True)
        ):
            found[one].append(two)
            if one != two:
                found[two].append(one)
    return found


def derivation_text(tree: Tree) -> str:
    """A derivation in one line, level by level: `class 1 → 3 2 → 0 1 1 0`."""
    row: list[Tree] = [tree]
    texts = [f"class {tree[0]}"]
    while row and row[0][1]:
        row = [child for _, children in row for child in children]
        more = " …" if len(row) > _MOST_SHOWN else ""
        texts.append(" ".join(str(feature) for feature, _ in row[:_MOST_SHOWN]) + more)
    return " → ".join(texts)
