"""What a proxy costs is the processor's time, so that other programs do not show in it; the run says so."""

import itertools
import time

import harness
from harness._utils.machine import processor_name
from harness.execution.clocks import clock_of, ledger_for
from harness.store import Store

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


def test_the_wall_clock_is_used_if_processor_time_is_coarse(monkeypatch):
    coarse = type("Info", (), {"resolution": 0.0156})
    monkeypatch.setattr(time, "get_clock_info", lambda name: coarse)
    assert clock_of("cpu") == "wall"


def test_gpu_time_is_measured_on_the_gpu(monkeypatch):
    """Without a GPU, torch's events are simulated."""
    moments, waited_for = itertools.count(), []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            self.moment = next(moments)

        def synchronize(self):
            waited_for.append(self.moment)

        def elapsed_time(self, later):
            return 1e3 * (later.moment - self.moment)

    monkeypatch.setattr("torch.cuda.Event", Event)
    ledger = ledger_for("cuda")
    with ledger.measure("proxy"), ledger.measure("pass"):
        pass
    assert not waited_for
    assert (clock_of("cuda"), ledger.exclusive("pass"), ledger.standalone("proxy")) == ("device", 1, 3)
