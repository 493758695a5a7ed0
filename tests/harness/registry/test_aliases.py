"""Names from other projects and other spellings mean the registered ones."""

from __future__ import annotations

import pytest

import harness
from harness import registry
from harness._utils.names import folded


class TestAliases:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [("nwot", "naswot"), ("NASWOT", "naswot"), ("jacov", "jacob_cov"), ("#Params", "params"), ("#params", "params"),
         ("#FLOPs", "flops"), ("zen_score", "zen"), ("Zen-Score", "zen"), ("Grad-Norm", "grad_norm")],
    )  # fmt: skip
    def test_of_proxies(self, typed, meant):
        assert [proxy.name for proxy in registry.select_proxies(typed)] == [meant]

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [("nasbench201", "nats-tss"), ("NAS-Bench-201", "nats-tss"), ("nb201", "nats-tss"), ("NATS_TSS", "nats-tss"),
         ("nas-bench-101", "nasbench101"), ("nb101", "nasbench101"), ("transnasbench101-micro", "transnas-micro"),
         ("TransNAS-Bench-101-macro", "transnas-macro")],
    )  # fmt: skip
    def test_of_benchmarks(self, typed, meant):
        assert registry.benchmark_named(typed) == meant

    def test_none_means_two_things(self):
        rows = {**registry.proxy_names(), **registry.aggregate_names()}
        benchmarks = {name: cls.aliases for name, cls in registry.benchmark_classes().items()}
        for known in (rows, benchmarks):
            meanings = {}
            for name, aliases in known.items():
                for spelling in {folded(name), *map(folded, aliases)}:
                    assert meanings.setdefault(spelling, name) == name, spelling

    def test_an_exact_name_wins_over_an_alias(self):
        from harness._utils.names import resolved

        assert resolved("nwot", {"naswot": ["nwot"], "nwot": []}) == "nwot"
        assert resolved("NWOT", {"naswot": ["nwot"], "nwot": []}) == "nwot"
        assert resolved("x", {"a": ["x"], "b": ["X"]}) is None

    def test_the_store_and_every_analysis_keep_the_registered_name(self, called, tmp_path):
        scores = harness.run("DIGITS", sample=6, batch_size=8, proxies="#Params,nwot",
                             out=tmp_path / "run")  # fmt: skip
        assert set(scores["proxy"]) == {"params", "naswot"}
        report = harness.report(tmp_path / "run", baseline="NWOT")
        assert set(report.correlations.loc[report.correlations["verdict"] == "baseline", "proxy"]) == {"naswot"}
        _, err, code = called("analyse", "beyond-size", tmp_path / "run", "--given", "#params")
        assert code == 0, err

    def test_another_table_may_use_them(self, digits_runs, tmp_path):
        scores = harness.report(digits_runs[0]).scores
        theirs = scores.pivot(index="architecture", columns="proxy", values="value")[["naswot", "zen"]]
        theirs.rename(columns={"naswot": "nwot", "zen": "zen_score"}).to_csv(tmp_path / "theirs.csv")
        assert set(harness.agreement(digits_runs[0], tmp_path / "theirs.csv")["proxy"]) == {"naswot", "zen"}

    def test_an_unknown_name_is_not_answered_with_all(self):
        with pytest.raises(harness.HarnessError, match="'harness list proxies' shows all") as raised:
            registry.select_proxies("synfow")
        assert "'synflow'" in str(raised.value) and len(str(raised.value)) < 150
