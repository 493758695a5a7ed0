"""``harness data get``, ``verify`` and ``status`` as commands: exit codes, and clear lines for errors."""

from __future__ import annotations

import pytest

from harness.data import import_table
from harness.data.local_tables import table_path
from harness.registry import load_benchmark

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def call(called):
    def call(*arguments, code=0):
        ended = called("data", *arguments)
        assert ended.code == code, ended.stderr
        return ended

    return call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["get", "nats-ts"], "unknown benchmark, table or image data set 'nats-ts': did you mean 'nats-tss'"),
        (["get", "cifar"], "did you mean 'cifar10'"),
        (["get", "digits"], "digits includes its ground truth: nothing to download"),
        (["get", "cifar10", "--full"], "cifar10 has no larger version: omit --full"),
        (["get", "nats-sss", "--full"], "nats-sss has no larger version of its ground truth: omit --full"),
        (["verify", "nats-ts"], "did you mean 'nats-tss'"),
    ],
)
def test_a_user_error_is_one_line_and_exit_code_2(call, arguments, message):
    process = call(*arguments, code=2)
    assert message in process.stderr
    assert process.stderr.startswith("harness: ")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["nats-sss"],
            [
                "https://github.com/D-X-Y/NATS-Bench",
                "NATS-sss-v1_0-50262-simple.tar",
                "harness data import nats-sss NATS-sss-v1_0-50262-simple",
            ],
        ),
        (["nats-tss", "--full"], ["harness data import nats-tss NATS-tss-v1_0-3ffb9-simple"]),
        (["ImageNet16-120"], ["train_data_batch_1", "--images"]),
        (["taskonomy"], ["https://github.com/StanfordVL/taskonomy", "--images"]),
    ],
)
def test_a_file_share_gives_a_page_a_file_and_the_next_steps(call, arguments, words):
    process = call("get", *arguments, code=2)
    for word in words:
        assert word in process.stderr
    assert process.stderr.startswith("harness: ")
    assert "Traceback" not in process.stderr


def test_verify_ends_with_1_if_something_is_wrong(call, tmp_path):
    assert "✓ digits: comes with the package" in call("verify").stdout
    assert "missing; get it with: harness data get nats-sss" in call("verify", "nats-sss", code=1).stdout
    benchmark = load_benchmark("nats-sss")
    table = tmp_path / "table.csv"
    table.write_text("arch,cifar10/test/90\n" + "".join(f"{name},90\n" for name in benchmark.architectures()))
    import_table(benchmark, table)
    assert "32,768 of 32,768 architectures" in call("verify", "nats-sss").stdout
    table_path("nats-sss").write_bytes(table_path("nats-sss").read_bytes()[:-9])
    process = call("verify", "nats-sss", code=1)
    assert process.stdout.startswith("✗ nats-sss: ")
    assert "harness data import nats-sss FILE" in process.stdout
    assert process.stdout.count("\n") == 1
    assert "✓ digits" in call("verify", code=1).stdout, "what is right beside it changes nothing"


def test_status_names_the_folders_and_the_commands(call, home, tmp_path):
    assert str(home / "downloads") in call("status").stdout
    process = call("status", "--dir", tmp_path / "elsewhere")
    for text in (str(home), str(tmp_path / "elsewhere"), "harness data get nats-tss", "harness data get cifar10"):
        assert text in process.stdout
    assert not home.exists(), "looking changes nothing"
