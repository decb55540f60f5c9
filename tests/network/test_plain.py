"""A TreeNet as a plain module of torch, and the forms in which strings may be given to one."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from synaptree import SynaptreeError, TreeNet
from synaptree.network.vector import VectorTree

V, N = 5, 3


def make(s=2, L=3, replicas=2, **options):
    generators = [torch.Generator().manual_seed(r) for r in range(replicas)]
    net = TreeNet(V, N, s, L, 7, generators, **{"dtype": torch.float64} | options)
    for b in [*net.b, *([] if net.b_out is None else [net.b_out])]:
        b.normal_(generator=generators[0])
    return net


def strings(net, count=6):
    return np.random.default_rng(0).integers(0, V, (count, net.s**net.L))


@torch.no_grad()
@pytest.mark.parametrize("connectivity", ["shared", "local", "full"])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize(("s", "L"), [(2, 3), (3, 2), (2, 1), (4, 2)])
def test_the_module_calculates_what_the_network_does(s, L, parametrisation, connectivity):
    net = make(s, L, parametrisation=parametrisation, connectivity=connectivity)
    x = strings(net)
    activity = net.activity(x)
    for r in range(net.replicas):
        module = net.to_torch(r)
        here = module.tokens(torch.from_numpy(x))
        for l in range(1, L + 1):
            here = module.get_submodule(f"layer{l}")(here)
            assert here.shape == activity.z[l - 1][r].shape
            assert float((here - activity.z[l - 1][r]).abs().max()) < 1e-12
        logits = module(torch.from_numpy(x))
        assert float((logits - activity.logits[r]).abs().max()) < 1e-12


def test_a_saved_module_is_read_where_this_package_is_not_installed(tmp_path):
    net = make(replicas=1)
    x = torch.from_numpy(strings(net))
    torch.save((net.to_torch(), x), tmp_path / "net.pt")
    read = (
        "import sys; sys.modules['synaptree'] = None; import torch; "
        "net, x = torch.load('net.pt', weights_only=False); torch.save(net(x).detach(), 'out.pt')"
    )
    subprocess.run([sys.executable, "-c", read], cwd=tmp_path, check=True)
    logits = torch.load(tmp_path / "out.pt")
    assert torch.allclose(logits, net.activity(x).logits[0], rtol=0, atol=1e-12)


def test_the_module_is_of_torch_alone_and_learns_as_the_network_would():
    net = make(replicas=1)
    module = net.to_torch()
    assert all(type(part).__module__.startswith("torch.nn.") for part in module.modules())
    again = pickle.loads(pickle.dumps(module))
    x, y = torch.from_numpy(strings(net)), torch.tensor([0, 1, 2, 0, 1, 2])
    nn.functional.cross_entropy(again(x), y).backward()
    # the gradient of the readout, by hand: z ⊗ (softmax(o) − onehot(y)) / B
    activity = net.activity(x)
    e = (activity.logits[0].softmax(1) - torch.eye(N, dtype=torch.float64)[y]) / len(y)
    expected = e.T @ activity.z[-1][0, :, 0]
    found = again.readout[1].weight.grad
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    assert torch.equal(module.readout[1].weight, net.W_out[0].T)  # and the network stays
    assert not module.tokens.weight.requires_grad


def test_making_a_module_draws_no_random_numbers():
    before = torch.get_rng_state()
    make().to_torch(1)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_has_no_plain_module_says_so():
    with pytest.raises(SynaptreeError, match=r"2 replicas given; expected which one, as to_torch"):
        make().to_torch()
    with pytest.raises(SynaptreeError, match="to_torch replica: 2; expected an integer from 0"):
        make().to_torch(2)
    vectors = VectorTree(V, N, 2, 3, 4, generators=[torch.Generator()])
    with pytest.raises(SynaptreeError, match="a VectorTree given"):
        vectors.to_torch()


def test_a_replica_by_itself_is_that_replica():
    net = make()
    x = strings(net)
    for r in range(2):
        alone = net.replica(r)
        assert alone.replicas == 1
        assert torch.allclose(alone.activity(x).logits[0], net.activity(x).logits[r])
        alone.W[0].zero_()
    assert float(net.W[0].abs().min(-1).values.max()) > 0


# Strings as users have them ----------------------------------------------------------------------


@pytest.mark.parametrize("replicas", [1, 2])
def test_tokens_may_have_any_integer_type_and_come_with_or_without_replicas(replicas):
    net = make(replicas=replicas)
    x = strings(net)
    expected = net.activity(torch.from_numpy(np.stack([x] * replicas))).logits
    frozen = x.copy()
    frozen.flags.writeable = False
    types = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", ">i4")
    given = {
        **{name: x.astype(name) for name in types},
        "tensor": torch.from_numpy(x),
        "bytes in a tensor": torch.from_numpy(x).to(torch.uint8),
        "list": x.tolist(),
        "list of arrays": list(x),
        "frozen": frozen,
        "backwards twice": x[::-1].copy()[::-1],
        "one axis more": x[None],
    }
    for name, strings_given in given.items():
        assert torch.equal(net.activity(strings_given).logits, expected), name
    one = net.activity(x[0])
    assert one.logits.shape == (replicas, 1, N)
    assert torch.allclose(one.logits[:, 0], expected[:, 0])
    assert [z.shape for z in net.activity(x[:1]).z] == [(replicas, 1, n, 7) for n in (4, 2, 1)]


def test_each_replica_may_have_strings_of_its_own():
    net = make()
    x = strings(net, 8)
    both = net.activity(np.stack([x[:4], x[4:]])).logits
    for r, own in enumerate((x[:4], x[4:])):
        assert torch.allclose(both[r], net.activity(own).logits[r])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x: x.astype(float), r"x\.astype\(int\) or x\.long\(\)"),
        (lambda x: np.eye(V + 1)[x], r"x\.argmax\(-1\)"),
        (lambda x: x[:, :3], r"shape \(6, 3\) given; expected strings of d = 8 tokens"),
        (lambda x: np.stack([x] * 3), r"shape \(3, 6, 8\) given; .* each of the R = 2 replicas"),
        (lambda x: x[:0], r"shape \(0, 8\) given"),
        (lambda x: x + 1, "token 5 given; expected tokens 0..4"),
        (lambda x: x - 1, "token -1 given"),
        (lambda x: "strings", "'strings' given; expected integers"),
        (lambda x: [[1, 2], [3]], "expected integers"),
    ],
)
def test_what_are_no_strings_says_what_to_write(wrong, said):
    net = make()
    x = strings(net)
    x[0, 0], x[0, 1] = 0, V - 1
    with pytest.raises(SynaptreeError, match=said) as fault:
        net.activity(wrong(x))
    assert "\n" not in str(fault.value)
