"""A probe computes what is asked for once, leaves the network alone, and knows what it cost."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.networks.leaving import untouched
from harness.probe import NotApplicableError, Probe, quantity
from harness.probe.passes import gradients, prunable_layers
from harness.registry import proxies
from harness.seeds import derive_seed
from harness.tasks import Objective


class Small(nn.Module):
    """Counts its passes; its layers are called in another order than they are named in."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 4)
        self.conv = nn.Conv2d(3, 5, 3)
        self.norm = nn.BatchNorm2d(5)
        self.relu = nn.ReLU()
        self.passes = 0

    def forward(self, images):
        self.passes += 1
        return self.head(self.relu(self.norm(self.conv(images))).mean(dim=(2, 3)))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Small().double()


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(1)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    return [Batch(torch.randn(6, 3, 6, 6, generator=generator, dtype=torch.float64), labels) for _ in range(3)]


@pytest.fixture
def probe(network, batches):
    return Probe(network, batches)


def test_asking_again_gives_the_very_same_result(probe):
    assert probe.forward() is probe.forward()
    assert probe.loss_gradients() is probe.loss_gradients(0) is probe.loss_gradients(batch=0)
    assert probe.loss_gradients(1) is not probe.loss_gradients(0)


def test_one_forward_pass_serves_all_first_order_proxies(probe, network):
    for name in ("flops", "grad_norm", "plain", "snip", "fisher", "jacob_cov", "epe_nas", "naswot"):
        proxies()[name](probe)
    assert network.passes == 1
    proxies()["zico"](probe)
    assert network.passes == 2


def test_layers_are_the_convolutions_and_linear_layers(probe, network):
    assert probe.layers == [network.head, network.conv]
    assert [id(weight) for weight in probe.weights] == [id(network.head.weight), id(network.conv.weight)]
    assert prunable_layers(nn.Sequential(nn.ConvTranspose2d(1, 1, 1), nn.BatchNorm2d(3), nn.Embedding(2, 2))) == []


def test_layer_output_gradients_have_the_shapes_of_the_outputs(probe):
    shapes = [output.shape for _, output in probe.forward().layer_outputs]
    assert sorted(shapes) == [(6, 4), (6, 5, 4, 4)]
    assert [gradient.shape for gradient in probe.layer_output_gradients()] == shapes


def test_loss_gradients_are_those_of_the_mean_cross_entropy(probe, network, batches):
    for index, batch in enumerate(batches):
        found = probe.loss_gradients(index)
        fresh = Small().double()
        fresh.load_state_dict(network.state_dict())
        F.cross_entropy(fresh(batch.images), batch.labels).backward()
        for gradient, layer in zip(found, (fresh.head, fresh.conv), strict=True):
            assert torch.allclose(gradient, layer.weight.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("before", ["nothing", "loss_gradients"])
def test_layer_output_gradients_are_there_for_every_batch(probe, index, before):
    if before == "loss_gradients":
        probe.loss_gradients(index)
    outputs = probe.forward(index).outputs.detach()
    batch = probe.batch(index)
    softmax = outputs.softmax(dim=1) - F.one_hot(batch.labels, 4)
    of_head = next(g for g in probe.layer_output_gradients(index) if g.shape == (6, 4))
    assert torch.allclose(of_head, softmax / 6, rtol=1e-10)


def test_the_loss_may_be_another(network, batches):
    probe = Probe(network, batches, objective=Objective("class", lambda outputs, _: outputs[:, 0].sum(), "first"))
    of_head = probe.loss_gradients()[0]
    features = F.relu(network.norm(network.conv(batches[0].images))).mean(dim=(2, 3))
    assert torch.allclose(of_head[0], features.sum(dim=0))
    assert not of_head[1:].any()


def test_a_batch_that_the_run_lacks_is_a_reason_and_not_an_error(probe):
    with pytest.raises(NotApplicableError, match="needs 4 mini-batches; there are 3"):
        probe.loss_gradients(3)
    with pytest.raises(NotApplicableError, match="needs 1 mini-batches; there are 0"):
        Probe(Small(), []).forward()


def test_results_are_cached_for_each_probe_alone(network, batches):
    assert Probe(network, batches).forward() is not Probe(network, batches).forward()


def test_what_raised_is_computed_anew(probe):
    attempts = []

    @quantity
    def flaky(probe):
        attempts.append(1)
        if len(attempts) == 1:
            raise RuntimeError("first time")
        return 7

    with pytest.raises(RuntimeError):
        flaky(probe)
    assert flaky(probe) == 7 and flaky(probe) == 7 and len(attempts) == 2


def test_a_quantity_is_computed_once_for_each_of_its_arguments(probe):
    @quantity
    def power(probe, base, exponent=2):
        return [base**exponent]

    assert power(probe, 3) == [9] and power(probe, 3, 3) == [27] and power(probe, 2) == [4]
    assert power(probe, 3) is power(probe, base=3) is power(probe, 3, exponent=2)


def test_arguments_that_are_given_by_keyword_only_count_too(probe):
    @quantity
    def power(probe, *, exponent):
        return 3**exponent

    assert (power(probe, exponent=2), power(probe, exponent=3)) == (9, 27)


def test_quantities_of_one_name_from_two_packages_are_two():
    def of_package(name, value):
        namespace = {"__name__": name, "quantity": quantity}
        exec(f"@quantity\ndef _shared(probe):\n    return {value}", namespace)
        return namespace["_shared"]

    probe = Probe(nn.Linear(1, 1), [])
    one, other = of_package("one_lab", 1), of_package("other_lab", 2)
    assert (one(probe), other(probe)) == (1, 2)


def test_a_random_state_is_that_of_torch_with_its_seed(probe):
    with probe.random_state("a purpose"):
        drawn = torch.randn(3)
    torch.manual_seed(derive_seed("probe", probe.seed, "a purpose"))
    assert torch.equal(drawn, torch.randn(3))


def test_a_quantity_draws_random_numbers_of_its_own(network, batches):
    @quantity
    def draw(probe, which):
        return torch.rand(3).tolist()

    probe = Probe(network, batches, seed=5)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, second = draw(probe, "a"), draw(probe, "b")
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again = Probe(network, batches, seed=5)
    assert (draw(again, "b"), draw(again, "a")) == (second, first)
    assert first != second
    assert draw(Probe(network, batches, seed=6), "a") != first


def test_a_quantity_draws_the_same_whatever_it_is_asked_from(network, batches):
    @quantity
    def inner(probe):
        return torch.rand(1).item()

    @quantity
    def outer(probe):
        return torch.rand(1).item(), inner(probe), torch.rand(1).item()

    alone, first = Probe(network, batches), Probe(network, batches)
    expected = outer(alone)
    inner(first)
    assert outer(first) == expected


def test_a_copy_may_be_changed(probe, network):
    before = network.conv.weight.detach().clone()
    copied = probe.copy()
    assert torch.equal(copied.conv.weight, before)
    with torch.no_grad():
        copied.conv.weight.zero_()
        copied.norm.running_var.zero_()
    assert torch.equal(network.conv.weight, before) and network.norm.running_var.all()


def test_a_copy_is_that_of_a_network_never_run(probe):
    probe.loss_gradients()
    assert probe.copy().norm.num_batches_tracked == 0


def test_times_are_split_between_a_pass_and_its_users(probe):
    ledger = probe.ledger
    for name in ("snip", "grad_norm"):
        with ledger.measure(name):
            proxies()[name](probe)
    passes = [("harness.probe", f"Probe.{step}", 0) for step in ("forward", "_loss_backward")]
    assert math.isclose(probe.forward_backward_seconds(), sum(ledger.exclusive(key) for key in passes))
    for name, other in (("snip", "grad_norm"), ("grad_norm", "snip")):
        assert ledger.standalone(name) > probe.forward_backward_seconds() > 0
        assert ledger.marginal(name, [other]) == ledger.exclusive(name) > 0


def test_the_time_of_a_pass_that_was_not_needed_is_unknown(probe):
    probe.forward()
    assert math.isnan(probe.forward_backward_seconds())


def test_gradients_are_zero_where_nothing_depends():
    x, y = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    of_x, of_y = gradients((3 * x).sum(), [x, y])
    assert of_x.tolist() == [3, 3] and of_y.tolist() == [0, 0, 0]
    assert [g.tolist() for g in gradients(torch.tensor(1.0), [x, y])] == [[0, 0], [0, 0, 0]]


def test_untouched_puts_the_buffers_back_even_after_an_error(network, batches):
    buffers = dict(network.named_buffers())
    values = {name: buffer.clone() for name, buffer in buffers.items()}
    with pytest.raises(RuntimeError, match="on purpose"), untouched(network):
        network(batches[0].images)
        assert not torch.equal(network.norm.running_mean, values["norm.running_mean"])
        raise RuntimeError("on purpose")
    for name, buffer in network.named_buffers():
        assert buffer is buffers[name] and torch.equal(buffer, values[name])


def test_untouched_lets_nothing_work_in_place_and_puts_that_back_too():
    network = nn.Sequential(nn.ReLU(inplace=True), nn.ReLU())
    with untouched(network):
        assert [module.inplace for module in network] == [False, False]
    assert [module.inplace for module in network] == [True, False]


def test_untouched_keeps_buffers_that_are_none():
    norm = nn.BatchNorm2d(2, track_running_stats=False)
    with untouched(norm):
        norm(torch.randn(3, 2, 4, 4))
    assert norm.running_mean is None and norm.running_var is None


def test_a_network_may_begin_with_a_relu_in_place(batches):
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(108, 4)).double()
    images = batches[0].images.clone()
    jacobian = Probe(network, batches).input_jacobian()
    expected = (images.flatten(1) > 0) * network[2].weight.sum(dim=0)
    assert torch.allclose(jacobian, expected) and torch.equal(batches[0].images, images)
