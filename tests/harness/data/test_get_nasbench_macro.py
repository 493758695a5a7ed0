"""``harness data get`` of published files, served by a local server: what users of the real benchmarks see."""

from dataclasses import replace

import harness_benchmarks.nasbench_macro as nasbench_macro
import pytest
from toy_downloads import got

import harness
from harness.data.local_tables import table_path
from harness.data.verify import verify
from harness.errors import DataError

FILE = "nas-bench-macro_cifar10.json"


@pytest.fixture
def offered(home, server, monkeypatch):
    """Offers a body in place of NAS-Bench-Macro's published file."""
    (published,) = nasbench_macro._SOURCE.downloads

    def offer(body, **answer):
        here = replace(published, url=server.offer(f"/{FILE}", body, **answer))
        monkeypatch.setattr(nasbench_macro, "_SOURCE", replace(nasbench_macro._SOURCE, downloads=(here,)))

    return offer


@pytest.fixture
def body(real_data):
    path = real_data / "more" / FILE
    if not path.is_file():
        pytest.skip(f"no {FILE} among the real data")
    return path.read_bytes()


@pytest.mark.real_data
def test_the_file_of_nas_bench_macro_is_downloaded_imported_and_verified(offered, body, server):
    offered(body)
    text = got("nas-bench-macro")
    assert "sha256 verified" in text
    assert "architectures: 6,561 of 6,561" in text
    assert harness.load("nasbench-macro").ground_truth("cifar10").source == FILE
    assert "nothing was downloaded" in got("nasbench-macro")
    assert server.asked == [f"/{FILE}"]
    assert [finding.right for finding in verify("nasbench-macro")] == [True, True]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"body": b'{"00000000": {"test_acc": [1, 2, 3]}}'}, "nothing of .* was kept"),
        ({"body": b"{}", "length": 2000}, "the connection was lost before the download was complete"),
        ({"body": b"", "status": 404}, "the server answered 404"),
    ],
)
def test_another_file_in_its_place_is_refused(offered, answer, message):
    offered(**answer)
    with pytest.raises(DataError, match=message) as caught:
        got("nasbench-macro")
    assert "\n" not in str(caught.value)
    assert not table_path("nasbench-macro").exists()
