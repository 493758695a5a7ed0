"""Names come from entry points, and errors in them are one line."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from harness import registry
from harness.aggregates import aggregate
from harness.contracts.benchmark import Benchmark
from harness.errors import HarnessError, UnknownNameError
from harness.proxies import proxy

OWN = ["naswot", "grad_norm", "snip", "params", "flops", "synflow", "zen", "zico"]


class Tiny(Benchmark):
    """A benchmark of a third party; it is only registered here."""

    name = "tiny"
    title = "for tests"
    citation = "nobody2026"
    datasets = ("dots",)
    truths = (("test", 1),)

    def architectures(self):
        return ["a"]

    def task(self, dataset):
        raise NotImplementedError

    def build(self, architecture, dataset):
        raise NotImplementedError

    def ground_truth(self, dataset, split=None, epochs=None):
        raise NotImplementedError


@proxy("depth", better="higher", data="nothing", cite="nobody2026")
def depth(probe):
    """Number of layers."""
    return len(probe.layers)


@proxy("depth_squared", better="higher", data="nothing", cite="nobody2026", variant_of="depth")
def depth_squared(probe):
    """Square of the number of layers."""
    return len(probe.layers) ** 2


@proxy("params", better="lower", data="nothing", cite="nobody2026")
def another_params(probe):
    """A third party's proxy that takes a name of the harness's own."""
    return 0


@pytest.fixture
def install(monkeypatch):
    """Pretend that a package with this module was installed that offers these entry points of one group."""
    real = registry.entry_points
    added = []

    def offer(group, name, value, **members):
        module = ModuleType("lab_package")
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, "lab_package", module)
        added.append(EntryPoint(name, value, group))
        forget()

    def forget():
        registry.proxies.cache_clear()
        registry.proxy_facts.cache_clear()
        registry.aggregates.cache_clear()
        registry.benchmark_classes.cache_clear()

    monkeypatch.setattr(
        registry, "entry_points", lambda group: [*real(group=group), *(e for e in added if e.group == group)]
    )
    yield offer
    monkeypatch.undo()
    forget()


def names(proxies):
    return [proxy.name for proxy in proxies]


def test_the_harnesss_own_proxies_and_benchmarks_are_registered():
    assert set(OWN) <= set(registry.proxies())
    assert {"nats-tss", "nats-sss", "nasbench101", "digits"} <= set(registry.benchmark_classes())
    for name, found in registry.proxies().items():
        assert found.name == name
    for name, found in registry.benchmark_classes().items():
        assert found.name == name and issubclass(found, Benchmark)


@pytest.mark.parametrize("name", ["nats-tss", "nats-sss", "nasbench101", "digits"])
def test_a_benchmark_is_loaded_by_name(name):
    assert registry.load_benchmark(name).name == name


def test_an_unknown_benchmark_suggests_near_names():
    message = r"unknown benchmark 'nats-ts': did you mean 'nats-tss'.* 'harness list benchmarks' shows all"
    with pytest.raises(UnknownNameError, match=message):
        registry.load_benchmark("nats-ts")


def test_an_unknown_proxy_suggests_similar_names_and_the_listing_command():
    with pytest.raises(UnknownNameError, match="unknown proxy 'synflo': did you mean 'synflow'") as raised:
        registry.select_proxies("snip,synflo")
    assert str(raised.value).endswith("'harness list proxies' shows all")


def test_proxies_keep_the_given_order_without_duplicates():
    assert names(registry.select_proxies("zen, snip,params,snip,")) == ["zen", "snip", "params"]
    assert names(registry.select_proxies(["params", "zen"])) == ["params", "zen"]


def test_all_leaves_out_variants_and_variants_are_the_others():
    main, variants = names(registry.select_proxies("all")), names(registry.select_proxies("variants"))
    assert set(OWN) <= set(main)
    assert {"log_synflow", "epe_nas_classes", "fisher_channel", "zico_magnitude"} <= set(variants)
    assert not set(main) & set(variants)
    assert names(registry.select_proxies("all,variants")) == main + variants
    assert set(main + variants) == set(registry.proxies())
    assert names(registry.select_proxies()) == names(registry.select_proxies("standard")) == list(registry.STANDARD)


def test_all_may_be_joined_with_names():
    main = names(registry.select_proxies("all"))
    assert names(registry.select_proxies("log_synflow,all")) == ["log_synflow", *main]
    rest = [name for name in main if name != "snip"]
    assert names(registry.select_proxies("snip,all")) == ["snip", *rest]


@pytest.mark.parametrize("nothing", ["", " , ", []])
def test_naming_no_proxy_is_refused(nothing):
    with pytest.raises(HarnessError, match="no proxy given"):
        registry.select_proxies(nothing)


def test_a_third_party_offers_a_module_of_proxies(install):
    install("harness.proxies", "lab", "lab_package", depth=depth, depth_squared=depth_squared, helper=len)
    assert registry.select_proxies("depth,depth_squared") == [depth, depth_squared]
    assert "depth" in names(registry.select_proxies("all"))
    assert "depth_squared" in names(registry.select_proxies("variants"))
    assert set(OWN) <= set(registry.proxies())


def test_a_third_party_offers_a_single_proxy(install):
    install("harness.proxies", "lab", "lab_package:depth", depth=depth, depth_squared=depth_squared)
    assert registry.select_proxies("depth") == [depth]
    assert "depth_squared" not in registry.proxies()


def test_a_third_party_offers_a_benchmark(install):
    install("harness.benchmarks", "lab", "lab_package:Tiny", Tiny=Tiny)
    assert isinstance(registry.load_benchmark("tiny"), Tiny)


def test_a_module_may_import_a_proxy_that_is_registered_already(install):
    install("harness.proxies", "lab", "lab_package", depth=depth, snip=registry.proxies()["snip"])
    assert {"depth", "snip"} <= set(registry.proxies())


def test_two_proxies_of_one_name_are_refused(install):
    install("harness.proxies", "lab", "lab_package", another_params=another_params)
    with pytest.raises(HarnessError, match="proxy 'params' is registered twice") as raised:
        registry.proxies()
    assert "harness.proxies.size:params" in str(raised.value)
    assert f"{__name__}:another_params" in str(raised.value)


def test_two_benchmarks_of_one_name_are_refused(install):
    class Impostor(Tiny):
        name = "digits"

    install("harness.benchmarks", "lab", "lab_package:Impostor", Impostor=Impostor)
    with pytest.raises(HarnessError, match="benchmark 'digits' is registered twice"):
        registry.benchmark_classes()


@pytest.mark.parametrize("value", ["no_such_package_at_all", "lab_package:absent"])
@pytest.mark.parametrize(
    ("group", "ask"), [("harness.proxies", "proxies"), ("harness.benchmarks", "benchmark_classes")]
)
def test_an_entry_point_that_cannot_be_imported_names_itself_and_the_remedy(install, group, ask, value):
    install(group, "broken", value)
    with pytest.raises(HarnessError) as raised:
        getattr(registry, ask)()
    message = str(raised.value)
    assert "'broken'" in message and value in message and "reinstall or remove" in message and "\n" not in message


@pytest.mark.parametrize("source", ["1 / 0", "this is no Python", "import sys; sys.exit(3)", "raise KeyboardInterrupt"])
def test_a_package_that_raises_while_it_is_imported_is_named_too(install, monkeypatch, tmp_path, source):
    (tmp_path / "raising_package.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    install("harness.proxies", "broken", "raising_package")
    with pytest.raises(HarnessError, match="entry point 'broken'"):
        registry.proxies()


def test_an_entry_point_without_a_proxy_is_refused(install):
    install("harness.proxies", "empty", "lab_package", helper=len)
    with pytest.raises(HarnessError, match=r"'empty' of harness.proxies has no proxy: lab_package"):
        registry.proxies()


def test_an_entry_point_that_is_not_a_benchmark_is_refused(install):
    install("harness.benchmarks", "wrong", "lab_package:depth", depth=depth)
    with pytest.raises(
        HarnessError, match=r"'wrong' of harness.benchmarks is not a Benchmark class: lab_package:depth"
    ):
        registry.benchmark_classes()


@aggregate("depth_and_size", parts=("depth", "params"), cite="nobody2026")
def depth_and_size(parts):
    """A third party's rank aggregate."""
    return parts["depth"] + parts["params"]


@aggregate("params", parts=("snip",), cite="nobody2026")
def aggregate_of_a_proxy_s_name(parts):
    """A rank aggregate that takes the name of a proxy."""
    return parts["snip"]


def test_a_third_party_offers_a_rank_aggregate(install):
    install("harness.aggregates", "lab", "lab_package", depth_and_size=depth_and_size, depth=depth)
    assert registry.aggregates()["depth_and_size"] is depth_and_size
    assert "depth" not in registry.proxies()


def test_an_aggregate_with_the_name_of_a_proxy_is_refused(install):
    install("harness.aggregates", "lab", "lab_package", taken=aggregate_of_a_proxy_s_name)
    with pytest.raises(HarnessError, match="aggregate 'params' has the same name as a registered proxy"):
        registry.aggregates()


def test_an_entry_point_without_an_aggregate_is_refused(install):
    install("harness.aggregates", "empty", "lab_package", depth=depth)
    with pytest.raises(HarnessError, match=r"'empty' of harness.aggregates has no aggregate: lab_package"):
        registry.aggregates()


@pytest.mark.parametrize("target", [Tiny, depth, registry.proxies()["snip"]])
def test_a_reference_leads_back_to_what_it_was_made_from(target):
    assert registry.resolve(registry.reference(target)) is target
