"""What a proxy costs is the processor's time, so that other programs do not show in it; the run says so."""

import time

import harness
from harness.processor import processor_name
from harness.store import Store
from harness.unit import clock_of

PROXY = '''
import time
import harness

@harness.proxy("waits", better="higher", data="nothing", cite="me2026")
def waits(probe):
    """Number of layers, after a while in which others have the processor."""
    time.sleep(0.2)
    return len(probe.layers)
'''


def test_waiting_costs_nothing(tmp_path):
    file = tmp_path / "my_waiting.py"
    file.write_text(PROXY)
    scores = harness.run("digits", sample=1, batch_size=4, proxies=f"{file}:waits", out=tmp_path / "run")
    assert 0 < scores["own_seconds"].item() < 0.1


def test_the_run_says_what_its_costs_were_measured_with(digits_runs):
    with Store.read(digits_runs[0]) as store:
        manifest = store.manifest()
    assert manifest["clock"] == "processor"
    assert manifest["processor"] == processor_name() != ""


def test_where_the_processor_s_time_is_coarse_or_not_the_cost_the_wall_clock_is_taken(monkeypatch):
    assert clock_of("cuda") == "wall"
    coarse = type("Info", (), {"resolution": 0.0156})
    monkeypatch.setattr(time, "get_clock_info", lambda name: coarse)
    assert clock_of("cpu") == "wall"
