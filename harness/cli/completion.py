"""What a shell offers for names that are half typed; ``harness --install-completion`` sets it up."""

from __future__ import annotations

from collections.abc import Iterable


def benchmarks(incomplete: str) -> list[str]:
    """The benchmarks whose names begin so."""
    from harness.registry import benchmark_classes

    return _beginning(incomplete, benchmark_classes())


def importables(incomplete: str) -> list[str]:
    """The benchmarks and tables of costs whose names begin so."""
    from harness.data.device_costs import cost_tables
    from harness.registry import benchmark_classes

    return _beginning(incomplete, [*benchmark_classes(), *cost_tables()])


def obtainables(incomplete: str) -> list[str]:
    """The benchmarks and image data sets whose names begin so."""
    from harness.data.image_sources import IMAGE_SOURCES
    from harness.registry import benchmark_classes

    return _beginning(incomplete, [*benchmark_classes(), *IMAGE_SOURCES])


def rows(incomplete: str) -> list[str]:
    """The proxies and rank aggregates whose names begin so."""
    from harness.registry import aggregates, proxy_facts

    return _beginning(incomplete, [*proxy_facts(), *aggregates()])


def proxy_list(incomplete: str) -> list[str]:
    """Lists of proxies, separated by commas, that begin so."""
    from harness.registry import proxy_facts

    return _listed(incomplete, ["standard", "all", "variants", *proxy_facts()])


def protocols(incomplete: str) -> list[str]:
    """The protocols whose names begin so."""
    from harness.reproduction.reading import protocol_names

    return _beginning(incomplete, protocol_names())


def _listed(incomplete: str, names: Iterable[str]) -> list[str]:
    """Completions of the last of several names.

    >>> _listed("snip,ze", ["zen", "zico", "snip"])
    ['snip,zen']
    """
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _beginning(last, names) if name not in before.split(",")]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
