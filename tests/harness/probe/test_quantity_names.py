"""The name of a quantity seeds what it draws, so it is declared and does not follow its file."""

import importlib
import inspect
import pkgutil

import pytest
import torch
from torch import nn

import harness.proxies
from harness.errors import HarnessError
from harness.probe import Probe, quantity

MODULES = [importlib.import_module(f"harness.proxies.{m.name}") for m in pkgutil.iter_modules(harness.proxies.__path__)]
NAMES = {
    "probe": "_curvature_in_dual_numbers _loss_backward _tape curvature_along_weights forward input_jacobian "
    "jacobian_correlation layer_output_gradients loss_gradients multiply_accumulates relu_kernel",
    "activation": "_block_kernel",
    "az_nas": "_block_features _spectral_entropies _trainability",
    "dextr": "_conditioning _extrinsic_curvature",
    "entropy": "_entropy",
    "epsinas": "_epsinas",
    "gradient": "_fisher_of_channels _gradients_on_noise",
    "gradsign": "_agreement",
    "intrain": "_factors",
    "knas": "_mean_gradients",
    "meco": "_correlations _of_random_channels",
    "near": "_near",
    "ntk": "_evaluation_kernel _training_kernel",
    "rbflex": "_rbflex",
    "regions": "_regions_of_noise _regions_of_thin_networks",
    "swap": "_mean_patterns _mean_patterns_of_units _signs_of_outputs",
    "synflow": "_flow_with_batch_norm _synaptic_flow",
    "tokens": "_residual_stream",
    "vkdnw": "_entropy _logits_and_jacobian",
    "wrcor": "_of_activations _of_gradients _responses",
    "zen": "_zen _zen_32 _zen_paper",
    "zico": "_gradients_of_halves",
}


def published():
    """The names that published scores were drawn with."""
    names = {f"harness.proxies.{family}:{name}" for family, named in NAMES.items() for name in named.split()}
    return {name.replace("harness.proxies.probe:", "harness.probe:Probe.") for name in names}


def quantities():
    """Every quantity of this project."""
    places = [Probe, *MODULES]
    members = [getattr(member, "function", member) for place in places for member in vars(place).values()]
    return {member for member in members if hasattr(member, "key")}


def name_of(function):
    parameters = list(inspect.signature(inspect.unwrap(function)).parameters.values())[1:]
    required = [0 for parameter in parameters if parameter.default is parameter.empty]
    return ":".join(function.key(*required)[:2])


def test_the_names_are_those_that_published_scores_were_drawn_with():
    assert {name_of(function) for function in quantities()} == published()


def test_every_name_is_declared_so_that_a_file_may_move(monkeypatch):
    for function in quantities():
        monkeypatch.setattr(inspect.unwrap(function), "__module__", "harness.elsewhere")
    assert {name_of(function) for function in quantities()} == published()


def test_a_declared_name_draws_the_same_from_any_file():
    source = "import torch\n@quantity{}\ndef draw(probe):\n    return torch.rand(2).tolist()"

    def drawn_in(module, name):
        namespace = {"__name__": module, "quantity": quantity}
        exec(source.format(name), namespace)
        return namespace["draw"](Probe(nn.Linear(1, 1), []))

    assert drawn_in("one", "('lab:draw')") == drawn_in("other", "('lab:draw')")
    assert drawn_in("one", "") != drawn_in("other", "")


def test_two_functions_of_one_name_are_refused_before_one_gets_the_other_s_result():
    @quantity("lab:taken")
    def first(probe):
        return torch.zeros(())

    @quantity("lab:taken")
    def second(probe):
        return torch.ones(())

    probe = Probe(nn.Linear(1, 1), [])
    assert first(probe) == first(probe) == 0
    with pytest.raises(HarnessError, match=r"two quantities are named 'lab:taken': .*first and .*second"):
        second(probe)
    assert second(Probe(nn.Linear(1, 1), [])) == 1, "a notebook's cell may define it again"
