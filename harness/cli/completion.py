"""Shell completion of names; ``harness --install-completion`` sets it up."""

from __future__ import annotations

from collections.abc import Iterable


def benchmarks(incomplete: str) -> list[str]:
    """Benchmarks with this prefix."""
    from harness.registry import benchmark_classes

    return _beginning(incomplete, benchmark_classes())


def importables(incomplete: str) -> list[str]:
    """Benchmarks and further tables with this prefix."""
    from harness.data.further_tables import further_tables
    from harness.registry import benchmark_classes

    return _beginning(incomplete, [*benchmark_classes(), *further_tables()])


def obtainables(incomplete: str) -> list[str]:
    """Benchmarks, further tables that can be downloaded, and image data sets with this prefix."""
    from harness.data.further_tables import further_tables, sources_of
    from harness.data.image_sources import IMAGE_SOURCES
    from harness.registry import benchmark_classes

    tables = [name for name, table in further_tables().items() if sources_of(table) is not None]
    return _beginning(incomplete, [*benchmark_classes(), *tables, *IMAGE_SOURCES])


def rows(incomplete: str) -> list[str]:
    """Proxies and rank aggregates with this prefix."""
    from harness.registry import aggregates, proxy_facts

    return _beginning(incomplete, [*proxy_facts(), *aggregates()])


def proxy_list(incomplete: str) -> list[str]:
    """Comma-separated lists of proxies with this prefix."""
    from harness.registry import proxy_facts

    return _listed(incomplete, ["standard", "all", "variants", *proxy_facts()])


def protocols(incomplete: str) -> list[str]:
    """Protocols with this prefix."""
    from harness.reproduction.reading import protocol_names

    return _beginning(incomplete, protocol_names())


def _listed(incomplete: str, names: Iterable[str]) -> list[str]:
    """Complete the last name of a comma-separated list.

    >>> _listed("snip,ze", ["zen", "zico", "snip"])
    ['snip,zen']
    """
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _beginning(last, names) if name not in before.split(",")]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
