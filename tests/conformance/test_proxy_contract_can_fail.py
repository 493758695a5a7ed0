"""The contract passes proxies that keep it, and each of its tests catches the proxy that breaks its promise.

Each is run as a third party would: two lines in a test file of its own.
"""

from __future__ import annotations

import pytest
import toy_proxies

from harness.proxies import Proxy
from harness.testing import ProxyContract

pytest_plugins = ["pytester"]

WORKER = "test_a_worker_process_computes_the_same_scores_in_another_order"
GOOD = ("good", "good_noise", "good_nowhere")

BROKEN = {
    "blank_name": ("test_its_declared_facts_are_complete", "remove blanks"),
    "anticipates_nothing": ("test_its_declared_facts_are_complete", "'crystal_ball', which is not a quantity"),
    "no_direction": ("test_its_direction_is_declared", "it is 'up'"),
    "magical": ("test_its_declared_facts_are_complete", "axes names 'magic'"),
    "pictures": ("test_what_it_looks_at_is_declared", "it is 'pictures'"),
    "no_batches": ("test_what_it_looks_at_is_declared", "needs at least 1 mini-batches"),
    "undescribed": ("test_its_first_line_says_what_it_computes", "add a docstring to the formula"),
    "Nowhere.hidden": ("test_a_worker_process_can_import_it", "define the proxy at the top level of a module"),
    "of_this_process": (WORKER, "use only the probe"),
    "scaled_by_the_first": (WORKER, "keep no state between networks"),
    "infinite_somewhere": (
        "test_every_connected_cell_of_the_embedded_benchmark_has_a_finite_score_or_a_reason",
        "which is connected: raise NotApplicableError with the reason",
    ),
    "of_the_processor": (
        "test_it_computes_on_the_network_s_device",
        "'add' takes a CPU tensor of shape (10,)",
    ),
    "infinite": ("test_it_gives_a_finite_number_on_connected_cells", "it is inf"),
    "fails_unconnected": (
        "test_on_every_kind_of_cell_it_gives_a_number_or_the_reason_why_not",
        "on the cell 'unconnected', or raise NotApplicableError with the reason; it raised ZeroDivisionError",
    ),
    "without_a_reason": (
        "test_on_every_kind_of_cell_it_gives_a_number_or_the_reason_why_not",
        "NotApplicableError needs a reason",
    ),
    "fails_without_convolutions": (
        "test_on_other_networks_it_gives_a_number_or_the_reason_why_not",
        "on the network 'linear only'",
    ),
    "grey_only": ("test_it_takes_images_of_one_and_of_three_channels", "for images of 3 × 8 × 8"),
    "random_every_time": ("test_it_gives_the_same_bits_again", "seeded with probe.seed"),
    "knows_the_global_seed": ("test_it_gives_the_same_bits_again", "seeded with probe.seed"),
    "depends_on_company": ("test_its_score_does_not_depend_on_what_else_is_computed", "keep no state between calls"),
    "writes_to_what_is_shared": (
        "test_the_scores_of_others_do_not_depend_on_it",
        "do not change the probe's tensors in place",
    ),
    "draws_along_the_memory": (
        "test_the_layout_of_the_images_in_memory_does_not_matter",
        "depend on the memory layout",
    ),
    "looks_at_labels": ("test_it_does_not_look_at_labels_unless_it_declares_so", "declare data='labels'"),
    "looks_at_images": ("test_it_does_not_look_at_images_unless_it_declares_so", "declare data='images'"),
    "looks_at_the_seed": ("test_it_does_not_draw_unless_it_declares_so", "declare data='noise'"),
    "needs_no_labels": ("test_it_looks_at_the_labels_that_it_declares", "declare data='images', or less"),
    "needs_no_images": ("test_it_looks_at_the_images_that_it_declares", "declare data='noise' or 'nothing'"),
    "noise_of_no_seed": ("test_its_noise_comes_from_the_seed", "draw from probe.seed"),
    "needs_more_batches": ("test_it_needs_no_more_batches_than_it_declares", "are not enough"),
    "needs_fewer_batches": ("test_it_looks_at_every_batch_that_it_declares", "mini-batch 2 of 3"),
    "moves_weights": ("test_it_leaves_the_network_as_it_was", "it changes parameter 'stem.0.weight'"),
    "leaves_gradients": ("test_it_leaves_the_network_as_it_was", "it changes parameter"),
    "passes_by_itself": ("test_it_leaves_the_network_as_it_was", "it changes buffer"),
    "falls_asleep": ("test_it_leaves_the_network_as_it_was", "it changes the network"),
    "leaves_hooks": ("test_it_leaves_the_network_as_it_was", "it changes module"),
    "brightens": ("test_it_leaves_the_images_and_labels_as_they_were", "work on a clone"),
    "asks_for_gradients": ("test_it_leaves_the_images_and_labels_as_they_were", "images.detach().clone()"),
    "seeds_torch": ("test_it_leaves_the_random_state_as_it_was", "the global random state of torch"),
    "seeds_numpy": ("test_it_leaves_the_random_state_as_it_was", "the global random state of numpy"),
    "seeds_python": ("test_it_leaves_the_random_state_as_it_was", "the global random state of random"),
    "turns_gradients_off": ("test_it_leaves_torch_s_settings_as_they_were", "changes settings of torch"),
    "switches_threads": ("test_it_leaves_torch_s_settings_as_they_were", "torch's number of threads (1 -> 2)"),
    "replaces_the_loss": (
        "test_it_leaves_the_process_as_it_was",
        "torch.nn.functional.cross_entropy, which affects the proxies after it",
    ),
    "moves_elsewhere": ("test_it_leaves_the_process_as_it_was", "changes the working directory"),
    "talks": ("test_it_prints_nothing", "it prints 'scoring"),
    "talks_aside": ("test_it_prints_nothing", "it prints 'scoring"),
}


@pytest.fixture
def outcomes(pytester):
    """Runs the contract on the named toy, as a third party does: what passed, skipped and failed, with the words."""

    def run(name, *options, cells=None):
        pytester.makepyfile(
            test_mine=f"""
            from harness.testing import ProxyContract
            import toy_proxies

            class TestMine(ProxyContract):
                proxy = toy_proxies.{name}
                cells = {cells}
            """
        )
        recorded = pytester.inline_run("-p", "no:cacheprovider", *options)
        passed, skipped, failed = {}, {}, {}
        for reports, found in zip(recorded.listoutcomes(), (passed, skipped, failed), strict=True):
            for report in reports:
                test = report.nodeid.rpartition("::")[2].partition("[")[0]
                found[test] = found.get(test, "") + str(report.longrepr)
        return passed, skipped, failed

    return run


@pytest.mark.parametrize("name", [GOOD[0], *(pytest.param(name, marks=pytest.mark.nightly) for name in GOOD[1:])])
def test_a_proxy_that_keeps_the_contract_passes(outcomes, name):
    passed, skipped, failed = outcomes(name, cells=5)
    assert failed == {}
    assert WORKER in passed
    assert bool(skipped) == (name == "good_nowhere")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_caught_by_its_own_test(outcomes, name):
    test, says = BROKEN[name]
    passed, _, failed = outcomes(name, "-k", test)
    assert set(passed) <= {test}
    assert says in failed[test]


def test_every_toy_is_here():
    """No broken proxy is forgotten, and no test of the contract is without one that it catches."""
    toys = {name for name, toy in vars(toy_proxies).items() if isinstance(toy, Proxy)}
    assert toys | {"Nowhere.hidden"} == set(BROKEN) | set(GOOD)
    promises = {name for name in dir(ProxyContract) if name.startswith("test_")}
    assert promises == {test for test, _ in BROKEN.values()}
