"""Which proxies depend on the images is measured from two runs, and said above every table of a run on noise."""

import pandas as pd
import pytest
from scipy.stats import kendalltau

import harness
from harness.errors import HarnessError
from harness.proxies import _measured_dependence as measured
from tools.measure_dependence import dependence, updated


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same eight networks and weights with noise, and with photographs."""
    folder = tmp_path_factory.mktemp("dependence")
    options = {"sample": 8, "proxies": "params,jacob_cov,naswot", "batch_size": 8}
    harness.run("digits", out=folder / "noise", images="noise", **options)
    harness.run("digits", out=folder / "photographs", **options)
    return folder / "noise", folder / "photographs"


def test_it_is_kendalls_tau_between_the_runs_of_proxies_that_look_at_their_input(runs):
    table = dependence("images", *runs).set_index("proxy")
    noise, photographs = (
        harness.open_run(run).scores.pivot(index="architecture", columns="proxy", values="value") for run in runs
    )
    assert set(table.index) == {"jacob_cov", "naswot"}
    for proxy in table.index:
        assert table.loc[proxy, "kendall"] == pytest.approx(kendalltau(noise[proxy], photographs[proxy]).statistic)
    assert set(table["benchmark"]) == {"digits digits"} and set(table["networks"]) == {8}


def test_other_measurements_stay():
    known = pd.DataFrame(
        [("images", "zico", "toy", 9, 0.5), ("images", "zico", "other", 9, 0.6), ("resolution", "zico", "toy", 9, 0.7)],
        columns=["cause", "proxy", "benchmark", "networks", "kendall"],
    )
    found = known.head(1).assign(networks=12, kendall=0.12345)
    rows = [tuple(row) for row in updated(known, found).itertuples(index=False)]
    assert rows == [
        ("images", "zico", "other", 9, 0.6),
        ("images", "zico", "toy", 12, 0.123),
        ("resolution", "zico", "toy", 9, 0.7),
    ]


def test_runs_that_differ_in_more_tell_nothing(runs, tmp_path):
    harness.run("digits", sample=8, seed=1, sample_seed=0, proxies="naswot", batch_size=8, out=tmp_path)
    with pytest.raises(HarnessError, match="also differ in seed"):
        dependence("images", runs[0], tmp_path)
    with pytest.raises(HarnessError, match="also differ in noise"):
        dependence("resolution", *runs)


def test_a_report_on_noise_names_the_proxies_that_depend_on_the_images(runs, monkeypatch):
    rows = (
        measured.Dependence("images", "jacob_cov", "toy", 9, 0.4),
        measured.Dependence("images", "jacob_cov", "another", 9, 0.1),
        measured.Dependence("images", "naswot", "toy", 9, 0.95),
        measured.Dependence("images", "zico", "toy", 9, 0.5),
        measured.Dependence("resolution", "naswot", "toy", 9, 0.5),
    )
    monkeypatch.setattr(measured, "measured_dependences", lambda: rows)
    noise, photographs = (harness.report(run).heading.doubts for run in runs)
    (warning,) = (fact for fact in noise if "Depends on" in fact)
    assert warning.startswith("Depends on the images, which are noise here") and warning.endswith(": Jacob cov .100")
    assert not any("Depends on" in fact for fact in photographs)


def test_the_measurements_are_of_registered_proxies():
    names = set(harness.registry.proxies())
    for row in measured.measured_dependences():
        assert row.cause in ("images", "resolution") and row.proxy in names and -1 <= row.kendall <= 1
