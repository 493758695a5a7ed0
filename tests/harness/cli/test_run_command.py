"""``harness run`` ends with the exit code of the signal that stopped it, whenever that came."""

from __future__ import annotations

import signal

import pytest
from typer.testing import CliRunner

from harness import cli
from harness.cli import app
from harness.store import Store


def run(out):
    options = ["--sample", "2", "--batch-size", "4", "--proxies", "params", "--out", str(out)]
    return CliRunner().invoke(app, ["run", "digits", *options])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_after_the_last_network_shows_in_the_exit_code(tmp_path, monkeypatch, number, code):
    before, leave = signal.getsignal(number), Store.__exit__

    def interrupted(store, *exception):
        leave(store, *exception)
        signal.raise_signal(number)

    monkeypatch.setattr(Store, "__exit__", interrupted)
    assert run(tmp_path).exit_code == code
    monkeypatch.undo()
    assert signal.getsignal(number) == before
    result = run(tmp_path)
    assert result.exit_code == 0 and "2 networks scored, 0 of them now" in result.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_an_import_turns_into_its_own_error_still_ends_the_run(
    tmp_path, monkeypatch, capsys, number, code
):
    def interrupted(*arguments, **options):
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    monkeypatch.setattr("harness.execution.runner.run", interrupted)
    monkeypatch.setattr("sys.argv", ["harness", "run", "digits", "--sample", "2", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_between_networks_stops_the_run_in_good_order(tmp_path, monkeypatch, number, code):
    add = Store.add

    def interrupted(store, *results):
        add(store, *results)
        signal.raise_signal(number)

    monkeypatch.setattr(Store, "add", interrupted)
    result = run(tmp_path)
    assert result.exit_code == code
    assert "interrupted: 1 of 2 networks stored; repeat the command to resume" in result.stdout
