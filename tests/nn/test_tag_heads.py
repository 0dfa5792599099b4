"""What the heads for learning from tags do besides predicting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from scribblebench.nn.heads.cross_image import Attention
from scribblebench.nn.heads.hidden_units import RandomWindows, selecting
from scribblebench.nn.network import Network

Build = Callable[..., Network]


def images(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, 49, 49, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "head", ["classifier", "pair_affinity", "sub_categories", "hidden_units", "cross_image"]
)
def test_predictions_start_as_those_of_plain(network: Build, head: str) -> None:
    plain, more = network("plain").eval(), network(head).eval()
    torch.testing.assert_close(plain(images()).logits, more(images()).logits)
    assert more(images()).features["activations"].shape == (2, 5, 7, 7)


def test_without_dropping_windows_are_a_convolution() -> None:
    windows = RandomWindows(4, 3, 0.0)
    maps = torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.conv2d(maps, windows.weight, padding=1)
    torch.testing.assert_close(windows.train()(maps), expected)
    dropping = RandomWindows(4, 3, 0.5)
    dropping.load_state_dict(windows.state_dict())
    torch.testing.assert_close(dropping.eval()(maps), expected)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        many = torch.stack([dropping.train()(maps) for _ in range(1000)])
    # Units count so much more that the mean is what all of them give.
    torch.testing.assert_close(many.mean(dim=0), expected, atol=0.15, rtol=0.0)
    assert many.std(dim=0).min() > 0.05


def test_each_window_keeps_its_centre_and_draws_by_itself() -> None:
    windows = RandomWindows(1, 3, 0.9)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        windows.weight[:] = 0
        windows.weight[0, 0, 1, 1] = 1
        assert (windows.train()(torch.ones(1, 1, 20, 20)) == 1).all()  # the centre alone, never dropped
        windows.weight[:] = torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 0, 0]])
        found = windows(torch.ones(1, 1, 20, 20))[..., :-1]
    assert (
        set(found.unique().tolist()) == {0.0, torch.tensor(1.0).div(0.1).item()}
        or found.unique().numel() == 2
    )
    assert 0.05 < (found > 0).float().mean() < 0.16


def test_drawing_is_asked_for_and_put_back(network: Build) -> None:
    net = network("hidden_units").eval()
    same = net(images()).features["activations"]
    with selecting(net), torch.random.fork_rng():
        assert not torch.equal(net(images()).features["activations"], same)
        assert not net.head.dropout.training
    assert torch.equal(net(images()).features["activations"], same)


def test_attention_that_adds_nothing_leaves_the_plain_network(network: Build) -> None:
    plain, net = network("plain", dropout=0.0).train(), network("cross_image", dropout=0.0).train()
    output, expected = net(images(4)), plain(images(4)).logits
    torch.testing.assert_close(output.logits, expected)
    torch.testing.assert_close(output.features["cross"], expected.repeat(1, 3, 1, 1))


def test_an_image_that_sees_its_double_sees_itself(network: Build) -> None:
    net = network("cross_image", dropout=0.0, start=1.0, partners=1).train()
    twice = images(1).expand(2, -1, -1, -1)
    output = net(twice)
    torch.testing.assert_close(output.features["cross"], output.logits)
    # Others do not touch what an image sees in itself, only what it sees in them.
    net = network("cross_image", dropout=0.0, start=1.0, partners=2).eval()
    net.training = net.head.training = True
    four, order = images(4), torch.tensor([0, 2, 1, 3])
    one, other = net(four), net(four[order])
    torch.testing.assert_close(one.logits[order], other.logits)
    torch.testing.assert_close(one.features["cross"][0, :6], other.features["cross"][0, 6:])
    assert not torch.allclose(one.features["cross"][0, :6], one.features["cross"][0, 6:])


def test_attention_is_its_matrix() -> None:
    attention = Attention(6, 1.0).eval()
    maps = torch.randn(2, 6, 5, 7, generator=torch.Generator().manual_seed(0))
    queries, keys, values = attention.factors(maps)
    assert keys.shape == values.shape == (2, 3, 3, 4)
    share = torch.softmax(torch.einsum("bcn,bcm->bnm", queries.flatten(2), keys.flatten(2)), dim=2)
    mixed = torch.einsum("bnm,bcm->bcn", share, values.flatten(2)).view(2, 3, 5, 7)
    expected = attention.norm(attention.out(mixed))
    torch.testing.assert_close(attention.found(queries, keys, values), expected)


def test_the_mean_of_a_class_map_is_a_linear_score_of_the_mean_feature(network: Build) -> None:
    net = network("classifier").eval()
    output = net(images())
    scores = output.before.mean(dim=(2, 3)) @ net.head.activations.weight.flatten(1).T
    torch.testing.assert_close(output.features["activations"].mean(dim=(2, 3)), scores)


def test_affinity_is_a_function_of_the_cell(network: Build) -> None:
    net = network("pair_affinity", width=9).eval()
    output = net(images())
    first, second = (net.head.affinity[i].weight.flatten(1) for i in (0, 2))
    elu = torch.nn.functional.elu
    expected = elu(elu(output.before.flatten(2).mT @ first.T) @ second.T).mT
    torch.testing.assert_close(output.features["affinity"].flatten(2), expected)


def test_sub_categories_are_so_many_maps_a_class(network: Build) -> None:
    net = network("sub_categories", clusters=3).eval()
    output = net(images())
    assert output.features["sub_categories"].shape == (2, 5 * 3, 7, 7)
    expected = torch.einsum("bchw,oc->bohw", output.before, net.head.sub_categories.weight[..., 0, 0])
    torch.testing.assert_close(output.features["sub_categories"], expected)
