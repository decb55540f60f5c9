"""Data against depth: P* of frames whose P* and depths are known, also after a bisection."""

import numpy as np
import pandas as pd
import pytest

from synaptree.analysis.needs_by_depth import needs_by_depth
from synaptree.training.solved import chance_error

CHANCE = chance_error(8)
SIZES = [2**k for k in range(5, 17)]


def untrained(L, read, width=64):
    """A run of random features from whose layers the first so many levels are read."""
    probe = np.full((L, L), 0.5)
    np.fill_diagonal(probe, [1.0] * read + [0.3] * (L - read))
    return base("readout_only", L, 64, 0, 0.8) | {"probe": probe.tolist(), "width": width}


def base(rule, L, P, seed, error):
    return {
        "rule": rule, "label": rule, "rule_options": "{}", "views": "", "status": "done",
        "v": 8, "n": 8, "m": 4, "s": 2, "L": L, "P": P, "seed": seed, "test_error": error,
        "width": 64, "parametrisation": "standard", "connectivity": "shared", "probe": None,
        "steps": 100_000, "steps_asked": 100_000, "batch": 128, "lr": 0.01,
    }  # fmt: skip


def ladder(rule, L, need, sizes=SIZES, seeds=range(4), **changed):
    return [
        base(rule, L, P, seed, CHANCE / (1 + 9 * (P / need) ** 3)) | changed
        for seed in seeds
        for P in sizes
    ]


DEPTHS = [untrained(3, 2), untrained(4, 2), untrained(5, 2)]  # depths 1, 2, 3


def test_needs_stand_at_the_depth_of_the_kind_and_not_reached_is_infinite():
    rows = [*DEPTHS]
    for L, need in ((3, 256), (4, 1024), (5, 4096)):
        rows += ladder("backprop", L, need) + ladder("dfa", L, 10**9 if L == 5 else 16 * need)
    lines = {line[0].label: line for line in needs_by_depth(pd.DataFrame(rows))}
    assert [point.depth for point in lines["dfa"]] == [1, 2, 3]
    found = [point.needs.value for point in lines["backprop"]]
    assert found == pytest.approx([256, 1024, 4096], rel=0.06)
    dfa = [point.needs.value for point in lines["dfa"]]
    assert dfa[:2] == pytest.approx([4096, 16384], rel=0.06)
    assert np.isinf(dfa[2])
    assert lines["dfa"][2].sizes[-1] == SIZES[-1]


def test_at_each_depth_the_best_settings_count():
    rows = [*DEPTHS, *ladder("dfa", 4, 8192, lr=0.1), *ladder("dfa", 4, 512, lr=0.3)]
    ((point,),) = needs_by_depth(pd.DataFrame(rows))
    assert point.needs.value == pytest.approx(512, rel=0.06)


def test_numbers_among_options_are_settings_and_words_make_another_rule():
    few, many = ({"rule_options": f'{{"dims": {dims}}}'} for dims in (8, 32))
    rows = [*DEPTHS, *ladder("lpl", 4, 8192, **few), *ladder("lpl", 4, 512, **many)]
    rows += ladder("lpl", 5, 1024, **few)
    (line,) = needs_by_depth(pd.DataFrame(rows))
    assert [point.needs.value for point in line] == pytest.approx([512, 1024], rel=0.06)
    sign = ladder("dfa", 4, 512, rule_options='{"error": "sign"}')
    assert len(needs_by_depth(pd.DataFrame(DEPTHS + sign + ladder("dfa", 4, 512)))) == 2


def test_a_line_goes_on_where_views_are_the_same_but_for_the_number_of_layers():
    rows = [*DEPTHS]
    for L in (3, 4, 5):
        views = ",".join(["sibling"] * (L - 1) + ["same_class"])
        rows += ladder("clapp", L, 512, views=views)
    rows += ladder("clapp", 4, 2048, views="same_class,same_class,same_class,same_class")
    lines = {line[0].views: line for line in needs_by_depth(pd.DataFrame(rows))}
    assert len(lines["sibling", "same_class"]) == 3
    assert len(lines["same_class",]) == 1


def test_grammars_of_a_bisection_may_differ_from_size_to_size():
    rows = [*DEPTHS, *ladder("dfa", 4, 1024, sizes=[512, 1448], seeds=range(6))]
    rows += ladder("dfa", 4, 1024, sizes=[64, 65536], seeds=[0])
    ((point,),) = needs_by_depth(pd.DataFrame(rows))
    assert point.sizes == (64, 512, 1448, 65536)
    assert point.grammars == 6
    assert point.needs.value == pytest.approx(1024, rel=0.1)


@pytest.mark.parametrize(("error", "solved"), [(0.01, True), (0.6, False)])
def test_fresh_strings_stand_apart_from_the_ladder(error, solved):
    rows = [*DEPTHS, *ladder("dfa", 5, 10**9)]
    rows += [base("dfa", 5, 12_800_000, seed, error) for seed in range(3)]  # each is seen once
    ((point,),) = needs_by_depth(pd.DataFrame(rows))
    assert point.fresh == (pytest.approx(error), 12_800_000)
    assert point.fresh_solved is solved
    assert point.sizes[-1] == SIZES[-1]
    (only,) = needs_by_depth(pd.DataFrame([*DEPTHS, *rows[-3:]]))
    assert only[0].needs is None
    without = needs_by_depth(pd.DataFrame(rows[:-3]))
    assert without[0][0].fresh_solved is None


def test_depth_is_that_of_the_network_of_the_best_settings():
    wide = [untrained(4, 3, width=512), *ladder("dfa", 4, 512, width=512)]
    ((point,),) = needs_by_depth(pd.DataFrame([*DEPTHS, *wide, *ladder("dfa", 4, 8192)]))
    assert (point.depth, point.needs.value) == (1, pytest.approx(512, rel=0.06))


def test_kinds_of_unknown_depth_are_left_out():
    ((point,),) = needs_by_depth(pd.DataFrame(ladder("dfa", 4, 512)), levels=True)
    assert (point.depth, point.needs.value) == (4, pytest.approx(512, rel=0.06))
    assert needs_by_depth(pd.DataFrame(ladder("dfa", 4, 512))) == []
    assert needs_by_depth(pd.DataFrame([*DEPTHS[:1], *ladder("dfa", 4, 512)])) == []
