"""Measures of any torch module: as the portrait's, and on modules whose layers are known."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from synaptree.analysis.depth import effective_depth
from synaptree.errors import SynaptreeError
from synaptree.grammar.family.dials import Noise, Sparse, Zipf
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures import portrait
from synaptree.measures.modules import measure
from synaptree.measures.portrait import portraits
from synaptree.measures.strings import Strings
from synaptree.network.tree import TreeNet

GRAMMAR = RandomHierarchyModel(4, 5, 3, 2, 3, 0)
LAYERS = ["layer1", "layer2", "layer3"]
SAME = ("probe", "sensitivity", "rank", "dead", "spread")


def tree_net(grammar=GRAMMAR, width=16, **options):
    sizes = (grammar.v, grammar.n, grammar.s, grammar.L, width)
    return TreeNet(*sizes, [torch.Generator().manual_seed(7)], **options)


@pytest.mark.parametrize("connectivity", ["shared", "local"])
def test_a_network_of_the_package_has_its_portrait(connectivity, monkeypatch):
    """Where patches repeat, the portrait fits readers to each once, which sums in another order."""
    monkeypatch.setattr(portrait, "_repeats", lambda *given: False)
    net = tree_net(dtype=torch.float64, connectivity=connectivity)
    (expected,) = portraits(net, [GRAMMAR], [3], inputs=900)
    found = measure(net.to_torch(), GRAMMAR, LAYERS, axes="BNH", inputs=900, seed=3)
    for name in SAME:
        assert np.allclose(getattr(found, name), getattr(expected, name), atol=1e-9), name
    assert found.depth == effective_depth(np.array([expected.probe]))
    assert found.positions == [4, 2, 1]
    assert found.read == ["places"] * 3


def test_a_network_whose_patches_repeat_has_nearly_its_portrait():
    net = tree_net()
    (expected,) = portraits(net, [GRAMMAR], [3])
    found = measure(net.to_torch(), GRAMMAR, LAYERS, axes="BNH", seed=3)
    for name in SAME:
        assert np.allclose(getattr(found, name), getattr(expected, name), atol=0.01), name


def oracle(arrange, grammar=GRAMMAR):
    """Layers that are the latents of levels 1..L themselves, as one-hot vectors, arranged anew."""

    def activities(tokens):
        levels = grammar.parse(tokens.numpy()).latents[1:]
        hot = [nn.functional.one_hot(torch.from_numpy(z.astype(np.int64)), 5) for z in levels]
        return {f"level{k}": arrange(z.float()) for k, z in enumerate(hot, 1)}

    return activities


@pytest.mark.parametrize(("arrange", "axes"), [
    (lambda z: z, "BNH"),
    (lambda z: z.transpose(1, 2), "BHN"),
    (lambda z: z.transpose(0, 1), "NBH"),
    (lambda z: z.double().numpy(), "BNH"),
    (lambda z: z.flatten(1), None),
    (lambda z: torch.cat([z, z, z], 1), "BNH"),
], ids=["places", "channels-first", "sequence-first", "numpy", "flat", "three-times"])  # fmt: skip
def test_the_oracle_reads_its_levels_and_is_blind_below_them(arrange, axes):
    found = measure(oracle(arrange), GRAMMAR, axes=axes, inputs=900)
    assert found.layers == ["level1", "level2", "level3"]
    for l in range(3):
        assert found.probe[l][l] == 1
        # A feature tells what is below only up to the choice among its m rules.
        assert all(found.probe[l][k] < 0.9 for k in range(l))
        assert found.sensitivity[l][: l + 1] == [0] * (l + 1)
        assert all(s > 0.3 for s in found.sensitivity[l][l + 1 :])
    assert found.depth == 0
    latents = GRAMMAR.sample(900, 0).latents[1:]
    assert found.guessing == [np.bincount(z.ravel()).max() / z.size for z in latents]


def test_latents_in_other_places_are_found_only_where_all_are_read():
    """Level 1 in the opposite order: each place says nothing of its own latent."""
    turned = oracle(lambda z: z.flip(1))
    kept = {"layers": ["level1"], "axes": "BNH", "inputs": 1500}
    there = measure(turned, GRAMMAR, **kept)
    assert there.read == ["places"]
    assert there.probe[0][0] < 0.5
    assert there.probe[0][1] < 0.6
    assert measure(turned, GRAMMAR, read="all", **kept).probe[0][0] == 1
    # Their mean says how often each feature occurs, but not where.
    mean = measure(turned, GRAMMAR, read={"level1": "mean"}, **kept)
    assert mean.probe[0][0] < 0.6
    assert mean.read == ["mean"]


def test_the_mean_of_positions_holds_what_all_of_them_hold():
    def activities(tokens):
        y = torch.from_numpy(GRAMMAR.parse(tokens.numpy()).latents[3].astype(np.int64))
        noise = torch.randn(len(y), 2, 5, generator=torch.Generator().manual_seed(0))
        hot = nn.functional.one_hot(y, 5).float()
        return {"class": torch.cat([hot + noise, hot - noise[:, :1], hot - noise[:, 1:]], 1)}

    found = measure(activities, GRAMMAR, axes="BNH", read="mean", inputs=900)
    assert found.probe[0][2] == 1


class Perceptron(nn.Module):
    def __init__(self, v=4, d=8, width=64, n=4):
        super().__init__()
        torch.manual_seed(1)
        self.hidden, self.readout = nn.Linear(v * d, width), nn.Linear(width, n)

    def forward(self, x):
        return self.readout(torch.relu(self.hidden(x.flatten(1))))


def newton(C):
    return LogisticRegression(C=C, solver="newton-cholesky", max_iter=200)


def test_readers_are_those_of_scikit_learn():
    grammar = RandomHierarchyModel(4, 4, 2, 2, 3, 1)  # 512 strings
    module = Perceptron()
    found = measure(module, grammar, ["hidden"], encode="one-hot", inputs=512, seed=5)
    drawn = grammar.sample(512, 5)
    x = nn.functional.one_hot(torch.from_numpy(drawn.x.astype(np.int64)), 4).float().mT
    z = module.hidden(x.flatten(1)).detach().double().numpy()
    assert found.guessing[2] == np.bincount(drawn.y).max() / 512
    for level in (1, 2, 3):
        right = []
        for node in drawn.latents[level].T:
            ridge = 1e-4 * z.var(0).mean()
            reader = newton(1 / (341 * ridge))
            reader.fit(z[:341], node[:341])
            right.append(reader.score(z[341:], node[341:]))
        assert found.probe[0][level - 1] == pytest.approx(np.mean(right), abs=0.03)


def test_an_untrained_network_is_credited_with_no_string_that_its_reader_knows():
    """Of 1024 strings drawn with replacement, most would test readers that were fitted to them."""
    grammar = RandomHierarchyModel(8, 8, 2, 2, 3, 0)
    net = TreeNet(8, 8, 2, 3, 64, [torch.Generator().manual_seed(0)])
    found = measure(net.to_torch(), grammar, ["layer3"], axes="BNH", seed=9).probe[0][2]

    def read(drawn, fitted):
        z = net.activity(drawn.x).z[2][0, :, 0].numpy()
        reader = newton(1e4 / (fitted * z.var(0).mean()))
        return reader.fit(z[:fitted], drawn.y[:fitted]).score(z[fitted:], drawn.y[fitted:])

    assert found == pytest.approx(read(grammar.sample(1024, 9), 682), abs=0.03)
    assert found < 0.8
    assert read(grammar.sample(3072, 9, replace=True), 2048) > 0.9


# Grammars of the family ---------------------------------------------------------------------------


def skewed():
    return TreeGrammar(RandomHierarchyModel(4, 4, 4, 2, 2, 0), probabilities=Zipf(1.5))


def test_strings_that_come_again_fit_or_test_but_never_both():
    strings = Strings.of_tree(skewed(), 0, 2000)
    rows = [row.numpy().tobytes() for row in strings.tokens[0]]
    fits, tests = set(rows[: strings.fitted]), set(rows[strings.fitted :])
    assert len(fits | tests) < len(rows) / 4
    assert not fits & tests
    assert 0.5 < strings.fitted / len(rows) < 0.85


def by_parsing(grammar, plain):
    def activities(tokens):
        levels = plain.parse(tokens.numpy()).latents[1:]
        hot = [nn.functional.one_hot(torch.from_numpy(z.astype(np.int64)), 5) for z in levels]
        return {str(k): z.float() for k, z in enumerate(hot, 1)}

    return activities


def test_the_oracle_of_a_skewed_grammar():
    grammar = skewed()
    found = measure(by_parsing(grammar, grammar.source), grammar, axes="BNH", inputs=2000)
    assert [found.probe[l][l] for l in range(2)] == [1, 1]
    assert found.sensitivity[0][0] == found.sensitivity[1][0] == found.sensitivity[1][1] == 0


def test_levels_with_blanks_and_strings_that_hide_their_rules():
    plain = RandomHierarchyModel(4, 4, 2, 2, 2, 0)
    sparse = TreeGrammar(plain, sparse=Sparse(1, jitter=True), noise=Noise(tokens=0.1))
    module = nn.Sequential(nn.Flatten(), nn.Linear(4 * sparse.d, 32), nn.ReLU())
    found = measure(module, sparse, ["2"], encode="one-hot", inputs=800)
    assert np.isfinite(found.probe).all()
    assert np.isnan(found.sensitivity).all()
    packed = TreeGrammar(plain, layout="packed")
    embedding = nn.Sequential(nn.Embedding(4, 8))
    assert measure(embedding, packed, ["0"], axes="BNH", inputs=400).read == ["all"]
    aligned = TreeGrammar(plain)
    assert measure(embedding, aligned, ["0"], axes="BNH", inputs=400).read == ["places"]


# Modules ------------------------------------------------------------------------------------------


class Stack(nn.Module):
    """A stack of convolutions, whose positions stand for nodes of the tree."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.conv2 = nn.Conv1d(4, 12, 2, 2), nn.Conv1d(12, 10, 2, 2)
        self.act = nn.ReLU(inplace=True)
        self.drop, self.norm = nn.Dropout(0.5), nn.BatchNorm1d(10)
        self.readout = nn.Linear(10, 5)

    def forward(self, x):
        z = self.norm(self.conv2(self.drop(torch.relu_(self.conv1(x)))))
        return self.readout(self.act(z).mean(2))


def test_what_a_layer_gives_is_its_own_output_in_evaluation_mode():
    module = Stack().train()
    module.drop.eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    heard = {"axes": "BHN", "encode": "one-hot", "inputs": 300}
    found = measure(module, GRAMMAR, ["conv1", "conv2", "act"], **heard)
    assert found.positions == [4, 2, 2]
    assert found.units == [12, 10, 10]
    x = nn.functional.one_hot(torch.from_numpy(GRAMMAR.sample(300, 0).x).long(), 4).float().mT
    conv1 = module.conv1(x).detach()
    assert conv1.min() < 0  # which the ReLU that works in place would hide
    std = conv1.transpose(0, 1).flatten(1).var(1, correction=0).sqrt().mean()
    assert found.spread[0] == pytest.approx(float(std), rel=1e-4)
    assert module.training
    assert module.norm.training
    assert not module.drop.training
    assert all((value == before[name]).all() for name, value in module.state_dict().items())
    assert all(not part._forward_hooks for part in module.modules())
    assert (
        measure(module, GRAMMAR, ["conv1", "conv2", "act"], **heard).frame().equals(found.frame())
    )


def test_units_below_zero_are_not_silent():
    module = nn.Sequential(nn.Flatten(), nn.Linear(32, 6))
    with torch.no_grad():
        module[1].weight.zero_()
        module[1].weight[:3] = -1 - torch.rand(3, 32)
        module[1].bias.zero_()
    found = measure(module, GRAMMAR, ["1"], encode="one-hot", inputs=300)
    assert found.dead == [0.5]


def test_updates_are_compared_with_backprops():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(32, 6), nn.ReLU(), nn.Linear(6, 5)).double()
    B = torch.randn(5, 6, dtype=torch.float64)

    def onehot(tokens):
        return nn.functional.one_hot(tokens, 4).double()

    def feedback(x, y, weights):
        """Updates of both layers by hand, with an error that comes down through weights."""
        x = x.flatten(1)
        h = module[1](x)
        z = h.relu()
        e = module[3](z).softmax(1) - nn.functional.one_hot(y, 5)
        delta = (e @ weights) * (h > 0)
        return {"1.weight": delta.T @ x, "3.weight": e.T @ z, "3.bias": 0 * e.sum(0)}

    exact = measure(
        module, GRAMMAR, ["2"], encode=onehot, inputs=90,
        updates=lambda x, y: feedback(x, y, module[3].weight),
    )  # fmt: skip
    assert exact.alignment["1.weight"] == pytest.approx(1, abs=1e-12)
    assert exact.alignment["3.weight"] == pytest.approx(1, abs=1e-12)
    assert np.isnan(exact.alignment["3.bias"])
    direct = measure(
        module, GRAMMAR, ["2"], encode=onehot, inputs=90, updates=lambda x, y: feedback(x, y, B)
    )
    drawn = GRAMMAR.sample(90, 0)
    x, y = onehot(torch.from_numpy(drawn.x).long()), torch.from_numpy(drawn.y).long()
    nn.functional.cross_entropy(module(x), y).backward()
    a, b = module[1].weight.grad.flatten(), feedback(x, y, B)["1.weight"].detach().flatten()
    cosine = float(a @ b / (a.norm() * b.norm()))
    assert abs(cosine) < 0.9
    assert direct.alignment["1.weight"] == pytest.approx(cosine, abs=1e-9)


def test_measures_are_shown_as_a_table():
    found = measure(oracle(lambda z: z), GRAMMAR, axes="BNH", inputs=300)
    text = repr(found).splitlines()
    assert len(text) == 6
    assert text[0].split()[:4] == ["positions", "units", "read", "probe_1"]
    assert text[2].split()[:5] == ["level1", "4", "5", "places", "1.000"]
    assert "levels not read from layers of their own: 0" in text[-1]


TWICE = nn.Sequential()
TWICE.add_module("a", nn.Flatten())
TWICE.add_module("act", shared := nn.ReLU())
TWICE.add_module("again", shared)


@pytest.mark.parametrize(("module", "options", "said"), [
    (Stack(), {"layers": ["convl"]}, "did you mean 'conv"),
    (Stack(), {}, "expected names of submodules"),
    (Stack(), {"layers": ["conv1"]}, r"shape is \(2, 12, 4\); expected axes='BNH'"),
    (Stack(), {"layers": ["conv1"], "axes": "BCN"}, "as 'BNH', or 'BHN' of a convolution"),
    (Stack(), {"layers": ["conv1"], "axes": "NBH"}, r"for 2 strings; expected an axis of strings"),
    (Stack(), {"layers": ["readout"], "read": "some"}, "measure read"),
    (TWICE, {"layers": ["act"]}, "calls it more than once"),
    (nn.LSTM(8, 3), {"layers": [""]}, "measure layer"),
    (nn.Sequential(nn.LSTM(8, 3)), {"layers": ["0"]}, "gives a tuple"),
    (3, {}, "expected a torch module"),
    (lambda x: x, {}, "expected a dict"),
    (lambda x: {}, {}, "gave no activity"),
    (lambda x: {"a": x}, {"layers": ["b"]}, "measure layer"),
    (lambda x: {"a": x[:, :3].mT[..., None, :]}, {}, "or three axes"),
    (lambda x: {"a": x[:, :, :3]}, {"axes": "BHN", "read": "places"}, "read='all'"),
    (lambda x: {"a": x.mean(2)}, {"updates": lambda x, y: {}}, "expected a torch module"),
    (Stack(), {"layers": ["readout"], "updates": lambda x, y: {"w": x}}, "measure update"),
    (Stack(), {"layers": ["readout"], "updates": lambda x, y: {"conv1.bias": x}}, "parameter"),
])  # fmt: skip
def test_a_mistake_is_one_line(module, options, said):
    with pytest.raises(SynaptreeError, match=said) as raised:
        measure(module, GRAMMAR, encode="one-hot", inputs=60, **options)
    assert "\n" not in str(raised.value)


def test_a_mistake_in_the_grammar_is_one_line():
    with pytest.raises(SynaptreeError, match="expected a RandomHierarchyModel"):
        measure(Stack(), "dfa", ["conv1"])
