"""Documented imports from before modules moved still work, with a warning."""

import importlib
import sys

import pytest

from harness._moved import MOVED

NAMES = {
    "harness.benchmark": ("Benchmark", "GroundTruth", "Costs", "Task"),
    "harness.objective": ("Objective", "CLASSES"),
    "harness.opened": ("open_run",),
    "harness.cluster": ("DaskExecutor",),
    "harness.proxies.base": ("Proxy", "proxy"),
    "harness.data.tables": ("table_ground_truth", "read_table"),
    "harness.data.plain_pickle": ("load_plain",),
    "harness.analysis.ranks": ("rank",),
    "harness.reporting.style": ("paper_style",),
}


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_gives_the_new_objects_and_a_warning(old):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"{old} is now {MOVED[old][0]}"):
        module = importlib.import_module(old)
    places = [importlib.import_module(place) for place in MOVED[old]]
    for name in NAMES.get(old, ()):
        assert any(getattr(module, name) is getattr(place, name, None) for place in places)
    with pytest.raises(AttributeError, match=f"module '{old}' has no attribute 'nothing'"):
        _ = module.nothing


def test_a_class_that_was_renamed_has_its_old_name_too():
    import harness.reproduction

    with pytest.warns(DeprecationWarning, match="Wishes is now ReproductionOptions"):
        assert harness.reproduction.Wishes is harness.reproduction.ReproductionOptions
