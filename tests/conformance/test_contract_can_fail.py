"""The contract passes a benchmark that keeps it, and each of its tests catches the benchmark that breaks its promise.

Each is run as a third party would: two lines in a test file of its own.
"""

from __future__ import annotations

# After a run inside this process, pytest forgets what it imported first, but pyarrow keeps what that registered.
import pandas.core.arrays.arrow.extension_types  # noqa: F401
import pytest
import toy_benchmarks
from toy_benchmarks import ImportedToy, ListedToy, Toy

from harness.testing import BenchmarkContract

pytest_plugins = ["pytester"]

OWN_PROCESS = "test_the_order_does_not_depend_on_the_hash_seed"

BROKEN = {
    "BlankName": ("test_its_declared_facts_are_complete", "remove blanks, slashes and quotes"),
    "RepeatedIdentifier": ("test_identifiers_are_unique_strings", "lists 'width-8' more than once"),
    "NumbersAsIdentifiers": ("test_identifiers_are_unique_strings", "non-empty string; 1 is not"),
    "OrderOfInstances": ("test_two_instances_list_them_in_the_same_order", "the same order, from every instance"),
    "OrderOfHashes": (OWN_PROCESS, "sort whatever comes from a set"),
    "AllIsNotFirst": ("test_the_set_all_comes_first_and_holds_all", "must begin with 'all'"),
    "SetWithoutDescription": ("test_every_set_has_a_description", "describe the set 'even'"),
    "SetWithStrangers": ("test_every_set_is_a_part_of_all_in_its_order", "'width-99', which architectures() does not"),
    "SetInAnotherOrder": ("test_every_set_is_a_part_of_all_in_its_order", "in the order of architectures()"),
    "PredicateOfAnotherSet": ("test_the_predicate_of_a_set_agrees_with_its_listing", "disagree on 'width-2'"),
    "FormOfTheMoment": ("test_of_each_canonical_form_the_set_unique_has_the_first", "the same text in every call"),
    "UnknownSetIsAll": ("test_an_unknown_set_is_refused_with_a_near_miss", "it was accepted"),
    "SamplesAreNotNested": ("test_samples_are_nested", "must be the beginning of the sample of 8"),
    "SamplesLeaveTheirSet": ("test_samples_lie_within_their_set_without_repetition", "{'width-1'}, which are not in"),
    "SamplesRepeat": ("test_samples_lie_within_their_set_without_repetition", "twice"),
    "SamplesAreTheSame": ("test_samples_depend_on_the_seed_and_on_nothing_else", "must depend on its seed"),
    "SamplesOfTheInstance": ("test_samples_depend_on_the_seed_and_on_nothing_else", "always draw the same sample"),
    "SampleOfNone": ("test_samples_of_impossible_sizes_are_refused", "must refuse size 0"),
    "AnyDataSet": ("test_an_unknown_data_set_is_refused_with_a_near_miss", "ground_truth() must refuse"),
    "TaskOfAnother": ("test_every_data_set_has_its_task", "task('lines') is the task of 'dots'"),
    "WrongImages": ("test_images_that_come_along_fit_the_task", "have shape (1, 7, 7)"),
    "WrongClasses": ("test_networks_give_finite_outputs_of_the_task_s_shape", "outputs of shape (4, 3)"),
    "LossOfEachImage": ("test_the_loss_takes_what_networks_give_and_random_targets", "one number per batch"),
    "OutputsAreNotFinite": ("test_networks_give_finite_outputs_of_the_task_s_shape", "not finite"),
    "NoFeatureMap": ("test_networks_have_a_feature_map", "must offer forward_features"),
    "PooledFeatures": ("test_networks_have_a_feature_map", "(images, channels, height, width)"),
    "EvalMode": ("test_networks_are_in_training_mode", "is in eval mode"),
    "LayerInEvalMode": ("test_networks_are_in_training_mode", "classifier is in eval mode"),
    "DoublePrecision": ("test_networks_are_of_float32_and_all_of_them_learns", "must be float32"),
    "FrozenClassifier": ("test_networks_are_of_float32_and_all_of_them_learns", "must have requires_grad=True"),
    "WeightsOfNowhere": ("test_a_seed_gives_the_same_network_again", "a different 'classifier.bias'"),
    "WeightsOfOneSeed": ("test_another_seed_gives_other_weights", "initialise them in every call"),
    "Uncopyable": ("test_networks_can_be_copied", "copy.deepcopy"),
    "AnyArchitecture": ("test_an_unknown_architecture_is_refused", "it was accepted"),
    "TruthTwice": ("test_every_data_set_has_a_ground_truth", "lists one twice"),
    "TruthIsMissing": ("test_every_declared_truth_is_there_or_says_how_to_import_it", "remove it from truths"),
    "TruthOfAnotherSplit": ("test_a_truth_says_what_it_is", "'val', 9)"),
    "TruthOfStrangers": ("test_a_truth_is_of_the_benchmark_s_architectures_each_once", "has 'width-33'"),
    "TruthIsNaN": ("test_a_truth_is_finite", "contains nan for 'width-1'"),
    "TruthIsInfinite": ("test_a_truth_is_finite", "contains inf for 'width-1'"),
    "OtherDefault": ("test_the_first_declared_truth_is_the_default", "it is ('val', 9)"),
    "AnyTruth": ("test_an_unknown_truth_is_refused", "unknown split 'testx'"),
    "SilentWithoutTable": ("test_without_a_table_the_message_says_how_to_import_one", "harness data import"),
    "ColumnTooFew": ("test_its_format_has_a_column_for_every_declared_truth", "differ in 'lines/val/9'"),
    "ColumnTooMany": ("test_its_format_has_a_column_for_every_declared_truth", "differ in 'lines/val/10'"),
    "EssentialIsNoTruth": ("test_its_format_is_sane", "'dots/test/10' is not in the format's truths"),
    "FormatOfOthers": ("test_its_format_lists_the_benchmark_s_architectures", "must equal architectures()"),
    "OtherParameters": ("test_its_format_counts_the_parameters_of_built_networks", "but the network from build()"),
    "TrustsItsSource": ("test_a_table_with_an_unknown_architecture_is_refused", "it was accepted"),
    "ReadsAnotherColumn": ("test_ground_truth_is_what_was_imported", "ground_truth must read"),
}


# What the import refuses by itself, whatever a benchmark declares, and what a class in a module cannot break.
HARNESS_S_OWN = {
    "test_a_column_turned_round_is_refused",
    "test_columns_of_architectures_that_disagree_are_refused",
    "test_fractions_in_one_row_are_refused",
    "test_a_table_comes_back_as_it_was_imported",
    "test_a_table_that_lacks_an_architecture_is_refused",
    "test_a_table_that_repeats_an_architecture_is_refused",
    "test_a_worker_process_can_import_its_class",
    "test_fractions_in_place_of_percent_are_refused",
    "test_parameters_of_another_network_are_refused",
    "test_the_table_of_another_benchmark_is_refused",
    "test_values_outside_the_limits_are_refused",
    "test_values_that_are_not_finite_are_refused",
}

# Where a test cannot pass either once the promise is broken.
FAILS_TOO = {
    "RepeatedIdentifier": {
        "test_every_set_is_a_part_of_all_in_its_order",
        "test_samples_are_nested",
        "test_samples_lie_within_their_set_without_repetition",
        "test_samples_depend_on_the_seed_and_on_nothing_else",
    },
    "OrderOfInstances": {"test_samples_depend_on_the_seed_and_on_nothing_else"},
    "TruthIsMissing": {
        "test_a_truth_says_what_it_is",
        "test_a_truth_is_of_the_benchmark_s_architectures_each_once",
        "test_a_truth_is_finite",
    },
    "ColumnTooFew": {"test_ground_truth_is_what_was_imported"},
    "EssentialIsNoTruth": {
        "test_values_outside_the_limits_are_refused",
        "test_fractions_in_place_of_percent_are_refused",
    },
    "TrustsItsSource": {"test_the_table_of_another_benchmark_is_refused"},
    "FormatOfOthers": {"test_a_table_comes_back_as_it_was_imported"},
}


class TestToy(BenchmarkContract):
    benchmark = Toy

    @pytest.mark.nightly
    def test_the_order_does_not_depend_on_the_hash_seed(self, subject):
        super().test_the_order_does_not_depend_on_the_hash_seed(subject)


class TestImportedToy(BenchmarkContract):
    benchmark = ImportedToy

    @pytest.mark.nightly
    def test_the_order_does_not_depend_on_the_hash_seed(self, subject):
        super().test_the_order_does_not_depend_on_the_hash_seed(subject)


TABLE = "architecture,width,dots/test/9\n" + "".join(f"width-{width},{width},{50 + width}\n" for width in range(1, 9))


@pytest.fixture
def outcomes(pytester):
    """Runs the contract on the named toy, as a third party does: what passed, skipped and failed, with the words."""

    def run(name, *options, hints=""):
        pytester.makefile(".csv", table=TABLE)
        pytester.makepyfile(
            test_mine=f"""
            from harness.testing import BenchmarkContract
            from toy_benchmarks import {name}

            class TestMine(BenchmarkContract):
                benchmark = {name}
                {hints}
            """
        )
        recorded = pytester.inline_run("-p", "no:cacheprovider", *options)
        return tuple(
            {report.nodeid.rpartition("::")[2].partition("[")[0]: str(report.longrepr) for report in reports}
            for reports in recorded.listoutcomes()
        )

    return run


def test_a_benchmark_whose_architectures_come_with_a_table_keeps_it_with_one(outcomes):
    passed, skipped, failed = outcomes("ListedToy", hints="table = 'table.csv'")
    assert failed == {}
    assert set(skipped) == {"test_a_column_turned_round_is_refused"}, "eight widths are too few to show a direction"
    assert "test_a_table_with_an_unknown_architecture_is_refused" in passed


def test_without_its_table_it_is_skipped_with_the_reason_and_the_remedy(outcomes):
    passed, skipped, failed = outcomes("ListedToy")
    assert failed == {}
    assert "test_without_a_table_the_message_says_how_to_import_one" in passed
    assert "'table' is not set" in skipped["test_samples_are_nested"]


def hints(name):
    return "table = 'table.csv'" if issubclass(getattr(toy_benchmarks, name), ListedToy) else ""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_caught_by_its_own_test(outcomes, name):
    test, says = BROKEN[name]
    _, _, failed = outcomes(name, "-k", test, hints=hints(name))
    assert says in failed[test]


@pytest.mark.nightly
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_caught_by_no_other_test(outcomes, name):
    test, _ = BROKEN[name]
    options = [] if test == OWN_PROCESS else ["--deselect", f"test_mine.py::TestMine::{OWN_PROCESS}"]
    passed, _, failed = outcomes(name, *options, hints=hints(name))
    assert set(failed) == {test} | FAILS_TOO.get(name, set())
    assert len(passed) > 10


def test_every_toy_is_here():
    """No broken benchmark is forgotten, and no test of the contract is without one that it catches."""
    toys = {
        name
        for name, toy in vars(toy_benchmarks).items()
        if isinstance(toy, type) and issubclass(toy, Toy) and toy not in (Toy, ImportedToy, ListedToy)
    }
    assert toys == set(BROKEN)
    promises = {name for name in dir(BenchmarkContract) if name.startswith("test_")}
    assert promises - {test for test, _ in BROKEN.values()} == HARNESS_S_OWN
