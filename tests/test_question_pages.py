"""The teaching pages show what the package draws, and say what it finds."""

import io
import json
import re
from collections import Counter, defaultdict
from contextlib import redirect_stdout
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import question_masks
import question_measured as measured
import question_pictures as pictures
import question_seen
import question_trees as trees
import torch

from synaptree import RandomHierarchyModel
from synaptree.training.data import training_strings

DOCS = Path(__file__).parent.parent / "docs"
PAGES = [DOCS / "start.md", *sorted((DOCS / "question").glob("*.md"))]
TEXT = {page.stem: page.read_text("utf-8") for page in PAGES}
KNOWN = pictures.KNOWN
PAIRS = KNOWN["views"]["pairs"]
SPACE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", pictures.DRAW)
def test_committed_pictures_are_what_the_script_draws(name):
    written = (pictures.PICTURES / f"{name}.svg").read_text("utf-8")
    assert written == pictures.DRAW[name]()
    assert len(written) < 100_000
    root = ElementTree.fromstring(written)
    assert root.find(f"{SPACE}rect").attrib["fill"] == "#fff"  # a card, on a dark page too
    sizes = re.findall(r"font-size:(\d+)px", written)
    assert min(map(int, sizes)) >= 11  # on a phone a unit is a pixel


def test_each_picture_is_on_one_page_and_says_what_it_shows():
    shown = re.findall(r"!\[([^\]]*)\]\((?:question/)?([\w-]+)\.svg\)", "".join(TEXT.values()))
    assert sorted(name for _, name in shown) == sorted(pictures.DRAW)
    assert {path.stem for path in pictures.PICTURES.glob("*.svg")} == set(pictures.DRAW)
    assert all(len(alt.split()) >= 12 for alt, _ in shown)
    assert len(PAGES) == 7


def test_the_picture_of_the_rules_has_every_rule():
    names = re.findall(r">([ab]?\d)</text>", pictures.DRAW["rules"]())
    row = [names[:20], names[20:40], names[40:]]
    for level, found in zip((3, 2, 1), row, strict=True):
        letters = {3: ("", "b"), 2: ("b", "a"), 1: ("a", "")}[level]
        expected: list[str] = []
        for feature in range(4):
            for tuple_ in trees.DRAWN.rules[level - 1][feature]:
                expected += [f"{letters[1]}{child}" for child in tuple_]
            expected.append(f"{letters[0]}{feature}")
        assert found == expected


def test_the_strings_of_the_first_page():
    grammar, text = trees.DRAWN, TEXT["1-hidden-tree"]
    assert (grammar.v, grammar.n, grammar.m, grammar.s, grammar.L) == (4, 4, 2, 2, 3)
    every = grammar.sample(grammar.size, seed=0)
    classes = dict(zip(map(tuple, every.x.tolist()), every.y.tolist(), strict=True))
    a, b, c = (tuple(x) for x in (trees.STRING, trees.OTHER, trees.NEAR))
    assert [classes[x] for x in (a, b, c)] == [1, 1, 3]
    assert [sum(p == q for p, q in zip(a, x, strict=True)) for x in (b, c)] == [1, 7]
    for tokens, percent in ((0, 25), (1, 34), (4, 50), (7, 91)):
        seen: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for x, y in classes.items():
            seen[x[:tokens]][y] += 1
        right = sum(max(count.values()) for count in seen.values()) / len(classes)
        assert round(100 * right) == percent
        assert f"{percent}%" in text
    large = RandomHierarchyModel(v=8, n=8, m=6, s=2, L=4, seed=0)
    assert f"roughly | {4 * 2**3} | {8 * 6**4:,} |".replace(",", " ") in text
    assert f"exist | {len(classes)} | {large.size / 1e12:.1f} trillion |" in text
    assert f"| {grammar.d} | {large.d} |" in text


def test_start_prints_what_the_page_shows():
    code, output = re.findall(r"```(?:python|text)\n(.*?)```", TEXT["start"], re.DOTALL)
    found: dict[str, object] = {}
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code, "start.md", "exec"), found)
    number = re.compile(r"\d+\.\d+")
    lines = zip(printed.getvalue().splitlines(), output.splitlines(), strict=True)
    for now, then in lines:
        assert number.sub("_", now).split() == number.sub("_", then).split()
        scale = 100 if "%" in then else 1
        numbers = zip(number.findall(now), number.findall(then), strict=True)
        assert all(abs(float(a) - float(b)) < 0.05 * scale for a, b in numbers), now
    for rule, run in found["results"].items():
        kept = KNOWN["start"][rule]
        assert abs(kept["error"] - run.test_error) < 0.05
        assert np.abs(np.array(kept["probe"]) - run.portrait.probe).max() < 0.05
        assert f"{kept['error']:.1%}" in output
    assert "52% of strings. DFA" in TEXT["start"]
    assert [round(KNOWN["start"][r]["probe"][2][2], 2) for r in ("dfa", "infonce")] == [0.91, 1.0]
    assert round(np.array(KNOWN["start"]["readout_only"]["probe"])[:, 2].max(), 2) == 0.52


def test_masks_and_signals_are_those_of_the_network():
    """By autograd in float64; on another machine the network may have learned a little else."""
    result = measured._small(measured.NET)
    net, x = result.network, torch.eye(4, dtype=torch.float64)[torch.tensor(measured.STRINGS)]
    weights = [W[0].double() for W in (*net.W, net.W_out)]
    found = measured._signals(result, list(measured.STRINGS))
    for number, string in enumerate(found):
        z, units = x[number], []
        for W, b in zip(weights, net.b, strict=False):
            h = (z.reshape(len(z) // 2, -1) @ W + b[0].double()).requires_grad_()
            h.retain_grad()
            units.append(h)
            z = h.relu()
        out = z @ weights[-1] + net.b_out[0].double()
        torch.nn.functional.cross_entropy(out, torch.tensor([string["class"]])).backward()
        error = out.detach().softmax(-1)[0] - torch.eye(4)[string["class"]]
        T = (error @ weights[-1].T).detach()  # and down, without masks
        for layer in (2, 1, 0):
            h, bare, signal = (
                np.array(string[name][layer]) for name in ("h", "unmasked", "signal")
            )
            assert np.allclose(units[layer].detach(), h, atol=1e-4)
            assert np.allclose(units[layer].grad, signal, atol=2e-6, rtol=1e-3)
            assert np.allclose(T.reshape(bare.shape), bare, atol=2e-6, rtol=1e-3)
            own = units[layer].grad.flatten(), (T.reshape(h.shape) * (units[layer] > 0)).flatten()
            cosine = own[0] @ own[1] / own[0].norm() / own[1].norm()
            assert abs(cosine.item() - string["cosine"][0][layer]) < 2e-3
            T = T.reshape(h.shape) @ weights[layer].T
        sent = np.einsum("k,pku->pu", error, np.array(KNOWN["masks"]["feedback"]))
        assert np.allclose(sent, string["direct"][0], atol=1e-5)
    for now, kept in zip(found, KNOWN["masks"]["strings"], strict=True):
        for here, there in zip(now["h"], kept["h"], strict=True):
            assert np.abs(np.array(here) - there).max() < 0.2


def test_what_is_said_of_masks():
    text, found = TEXT["4-masks"], KNOWN["masks"]
    strings = found["strings"]
    position, unit = question_masks.POSITION, question_masks.UNIT
    # At the synapse the inputs are alike: class, tokens, own gate, and direction of the error.
    assert {string["class"] for string in strings} == {3}
    assert {tuple(string["x"][2 * position :][:2]) for string in strings} == {(2, 2)}
    own = {string["h"][0][position][unit] for string in strings}
    assert len(own) == 1
    assert own.pop() > 0
    for string in strings:
        direction = np.array(string["error"]) / np.linalg.norm(string["error"])
        assert np.allclose(direction, [0, 0, 0.5**0.5, -(0.5**0.5)], atol=1e-3)
    assert [int((np.array(s["h"][2]) > 0).sum()) for s in strings] == [4, 3, 5]
    assert "4, 3 and 5 of the 8 units of layer 3" in text
    said = {
        way.name: [f"{question_masks.arrives(s, way.name):+.1f}" for s in strings]
        for way in question_masks.WAYS
    }
    assert said["signal"] == ["-0.9", "-0.3", "-3.6"]
    assert said["unmasked"] == ["-2.7"] * 3
    assert said["direct"] == ["+0.5"] * 3
    assert text.count("−0.9, −0.3 and −3.6") == 2
    assert found["test_errors"][measured.NET] == 0
    (one, two, three), direct = found["cosine"]
    assert f"{two:.2f} in layer 2, and {one:.2f} in layer 1" in text
    assert f"direct feedback the cosine is {direct[0]:.2f}".replace("-", "−") in text
    assert three == 1
    again = measured.masks()
    assert np.abs(np.array(again["cosine"]) - found["cosine"]).max() < 0.05


@pytest.mark.parametrize("way", [way.name for way in question_masks.WAYS])
def test_lines_carry_what_arrives_by_every_single_way(way):
    """Each path by itself, from an output through one unit of each layer."""
    found = KNOWN["masks"]
    W2, W3, W_out = (np.array(W) for W in (*found["weights"], found["readout"]))
    for string in found["strings"]:
        e = np.array(string["error"]) / np.linalg.norm(string["error"])
        carried = defaultdict[tuple[int, int, int], float](float)
        for k in range(4):
            if way == "direct":
                B = found["feedback"][question_masks.POSITION][k][question_masks.UNIT]
                carried[1, k, question_masks.UNIT] += e[k] * B
                continue
            for j in range(8):
                for i in range(8):  # of the right half of layer 2, whose left child has the unit
                    part = e[k] * W_out[j, k] * W3[8 + i, j] * W2[question_masks.UNIT, i]
                    if way == "signal":
                        part *= string["h"][2][0][j] > 0 and string["h"][1][1][i] > 0
                    carried[1, k, j] += part
                    carried[2, j, i] += part
                    carried[3, i, question_masks.UNIT] += part
        shown = question_masks.lines(found, string, way)
        assert len(shown) == len(carried)
        assert all(abs(carried[a, b, c] - value) < 1e-9 for a, b, c, value in shown)
        last = sum(value for part, *_, value in shown if part == (1 if way == "direct" else 3))
        assert last == pytest.approx(question_masks.arrives(string, way), abs=5e-3)


def test_the_picture_of_masks_rests_for_readers_who_want_less_motion():
    drawn = pictures.DRAW["masks"]()
    style = re.findall(r"<style>(.*?)</style>", drawn)[0]
    still, moving = style.split("@media(prefers-reduced-motion:no-preference){")
    assert "animation" not in still
    assert "opacity" not in still
    assert "<script" not in drawn
    named = set(re.findall(r'<g class="(s\d\d)">', drawn))
    assert (
        named
        == set(re.findall(r"@keyframes (\w+)", moving))
        == set(re.findall(r"\.(s\d\d){", moving))
    )
    assert len(named) == 3 * question_masks.PARTS
    assert set(re.findall(r",([\d.]+)%{opacity:1}", moving)) == {
        f"{100 * question_masks.END / question_masks.CYCLE:.1f}"
    }


@pytest.mark.parametrize("view", question_seen.VIEWS)
def test_views_show_pairs_that_the_package_yields(view):
    found = question_seen.seen(view, measured.DRAWN)
    assert json.loads(json.dumps(found)) == PAIRS[view]
    drawn = training_strings(question_seen.spec_of(view, measured.DRAWN)).x.tolist()
    strings, context = found["strings"], found["context"]
    assert all(levels[0] in drawn for levels in strings)
    assert {levels[3][0] for levels in strings} == {strings[0][3][0]}  # of one class
    places = {"sibling": [[0, 1]], "half_mask": [[0, 2]], "half_mask:neurons": [[0, 0]]}
    others = 3 if view == "trace:3" else 1
    assert context == places.get(view, [[1 + other, 0] for other in range(others)])
    if view == "same_latent:1":
        assert strings[0][1:] == strings[1][1:]
        assert strings[0][0] != strings[1][0]
    elif view == "movie:0.2":
        clip = [levels[0] for levels in found["clip"]]
        assert clip == drawn[:6]
        assert len({levels[3][0] for levels in found["clip"]}) == 1
        first = drawn.index(strings[0][0])
        assert strings[1][0] in (drawn[first + 1], drawn[first - 1])
    elif view == "half_mask:neurons":
        one, two = np.array(found["halves"])
        assert (one + two == 1).all()
        assert one.sum() == 4


def test_what_is_said_of_views():
    text, bits = TEXT["5-views"], question_seen.budgets()
    assert bits == KNOWN["views"]["bits"]
    for view in question_seen.TOLD:
        cells = [_bits(value) for kind in bits.values() for value in kind[view]]
        assert f"| `{view}` | {' | '.join(cells)} |" in text
    assert bits["m=8"]["sibling"][:2] == bits["m=8"]["half_mask"][:2] == [0, 0]
    one, seven = (bits["m=8"][view][0] for view in ("same_class", "trace:7"))
    assert round(seven / one) == 6
    assert "seven tell six times as much" in text
    assert list(KNOWN["views"]["tiers"].values()) == ["T0", "T1", "T2"]
    assert measured.views()["tiers"] == KNOWN["views"]["tiers"]


def _bits(value):
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.2g}"


def test_what_is_said_of_depth_and_data():
    text, curve = TEXT["6-left-to-learn"], measured.curve()
    assert curve == KNOWN["curve"]
    needs, low, high = (round(value) for value in curve["needs"])
    assert f"it is {needs} strings, with a 95% interval from {low} to {high}" in text
    assert f"is {curve['predicted']}. " in text
    assert curve["predicted"] == 8 * 4**3
    assert curve["kind"].startswith("v=8 n=8 m=4 s=2 L=3")
    assert curve["grammars"] == 10
    again = measured.untrained()
    for now, then in zip(again, KNOWN["untrained"], strict=True):
        table = np.array(then["probe"])
        assert np.abs(now["probe"] - table).max() < 0.02
        assert int((np.diag(table) < 0.99).sum()) == then["depth"] == now["depth"]
        assert table[0][0] > 0.99
    assert [kind["depth"] for kind in again] == [1, 2, 3]
    assert "Here these are 1, 2 and 3" in text


def test_the_ladder_has_every_rule_once_where_the_audit_puts_it():
    found = measured.knows()
    assert found == KNOWN["knows"]
    placed = [rule for rules in found.values() for rule in rules]
    assert len(placed) == len(set(placed)) > 20
    examples = re.search(r"!\[Six steps.*?\]", TEXT["2-synapse"]).group()
    for name, rule in re.findall(r"([A-Z][\w ]+): for example (\w+)", examples):
        assert rule in found[name[0].lower() + name[1:]]
