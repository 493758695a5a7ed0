"""The committed tables of ViT-Bench-101 are what ``python -m tools.vit_bench`` makes of the real files."""

from __future__ import annotations

import pandas as pd
import pytest

import harness
from harness.data import import_table
from tools import reference_tables, vit_bench


@pytest.mark.real_data
def test_the_tables_are_what_the_command_makes(real_data, home, tmp_path, monkeypatch):
    committed = reference_tables.REFERENCE
    for family in vit_bench.FAMILIES:
        import_table(harness.load(f"vit-bench-101-{family}"), real_data / "more")
    monkeypatch.setattr(reference_tables, "REFERENCE", tmp_path)
    vit_bench.main()
    for name in (vit_bench.PARAMS, vit_bench.AGREEMENT):
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / name), pd.read_csv(committed / name), rtol=1e-5)
