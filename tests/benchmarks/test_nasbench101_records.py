"""Official record files: read without TensorFlow, every byte verified, and refused with the record and the reason."""

import base64
import json
import struct

import numpy as np
import pytest
from harness_benchmarks.nasbench101.cell import Cell, module_hash
from harness_benchmarks.nasbench101.framing import is_record_file, read_records
from harness_benchmarks.nasbench101.metrics import decode_metrics
from harness_benchmarks.nasbench101.sources import RecordFileReader, decode_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import DataError

CELL = Cell(3, 0b111, "0")
OTHER = Cell(4, 0b101101, "12")
SAMPLE = "nasbench101-format-sample.tfrecord"


def checksum(data):
    """Masked CRC-32C, bit by bit: another way than the reader's."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % (1 << 32))


def frame(data):
    length = struct.pack("<Q", len(data))
    return length + checksum(length) + data + checksum(data)


def varint(value):
    digits = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(digit | 0x80 for digit in digits[:-1]), digits[-1]])


def evaluation(epoch, seconds, validation, test):
    doubles = enumerate((epoch, seconds, 0.5, validation, test), start=1)
    fields = b"".join(varint(number << 3 | 1) + struct.pack("<d", value) for number, value in doubles)
    return fields + b"\x32\x04path"


def metrics(*evaluations, parameters=7):
    message = b"".join(b"\x0a" + varint(len(data)) + data for data in evaluations)
    return message + b"\x10" + varint(parameters) + b"\x19" + struct.pack("<d", 99.0)


def record(cell=CELL, epochs=108, validation=0.5, test=0.25, seconds=10.0, **changed):
    message = metrics(
        evaluation(0.0, 0.0, 0.1, 0.1),
        evaluation(epochs / 2, 5.0, 0.2, 0.2),
        evaluation(changed.get("last_epoch", epochs), seconds, validation, test),
        parameters=changed.get("parameters", 7),
    )
    adjacency = "".join(map(str, cell.matrix().ravel()))
    operations = ",".join(cell.operation_names())
    content = [
        changed.get("name", module_hash(cell)),
        epochs,
        changed.get("adjacency", adjacency),
        changed.get("operations", operations),
        base64.encodebytes(message).decode(),
    ]
    return json.dumps(content).encode()


@pytest.fixture
def written(tmp_path):
    def write(*records):
        path = tmp_path / "nasbench.tfrecord"
        path.write_bytes(b"".join(map(frame, records)))
        return path

    return write


def read(path):
    return RecordFileReader().read(path, trust_pickle=False)


def refusal(path):
    with pytest.raises(DataError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestFraming:
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(records=st.lists(st.binary(max_size=40)))
    def test_records_come_back_as_they_were_written(self, tmp_path, records):
        (tmp_path / "file").write_bytes(b"".join(map(frame, records)))
        assert [data for batch in read_records(tmp_path / "file") for data in batch.records] == records

    def test_records_come_back_in_batches_with_their_numbers(self, tmp_path):
        path = tmp_path / "file"
        empty = frame(b"")
        path.write_bytes(empty * 8200 + frame(b"last"))
        batches = list(read_records(path))
        assert [(batch.first, len(batch.records)) for batch in batches] == [(1, 8192), (8193, 9)]
        assert batches[-1].records[-1] == b"last"
        assert batches[-1].position == path.stat().st_size

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_every_changed_bit_is_found(self, tmp_path, data):
        content = bytearray(frame(b"one record") + frame(b"another"))
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(DataError, match=rf"file: record {1 + (bit // 8 >= 26)}: the checksum"):
            list(read_records(tmp_path / "file"))

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(kept=st.integers(1, 48))
    def test_every_truncation_is_found(self, tmp_path, kept):
        content = frame(b"one record") + frame(b"another")
        (tmp_path / "file").write_bytes(content[:kept])
        if kept == 26:
            assert [batch.records for batch in read_records(tmp_path / "file")] == [[b"one record"]]
        else:
            with pytest.raises(DataError, match=rf"file: record {1 + (kept > 26)}: the file ends within its"):
                list(read_records(tmp_path / "file"))

    def test_an_absurd_length_is_refused_before_anything_is_read(self, tmp_path):
        length = struct.pack("<Q", 1 << 40)
        (tmp_path / "file").write_bytes(length + checksum(length))
        with pytest.raises(DataError, match="1,099,511,627,776 bytes are too many"):
            list(read_records(tmp_path / "file"))

    def test_the_kind_is_told_by_name_or_by_the_first_header(self, tmp_path, written):
        assert is_record_file(written(record()))
        assert is_record_file(written(record()).rename(tmp_path / "renamed"))
        (tmp_path / "table.csv").write_text("hash,vertices,adjacency_bits,ops\n")
        assert not is_record_file(tmp_path / "table.csv")
        assert not is_record_file(tmp_path)


class TestMetrics:
    def test_the_last_evaluation_counts(self):
        decoded = decode_metrics(metrics(evaluation(0, 0, 0.1, 0.2), evaluation(4, 9, 0.3, 0.4), parameters=300))
        assert (decoded.parameters, decoded.epoch, decoded.seconds) == (300, 4, 9)
        assert (decoded.validation, decoded.test) == (0.3, 0.4)

    def test_unknown_fields_are_passed_over(self):
        extra = b"\x78\x96\x01" + b"\x7d\x00\x00\x00\x00" + b"\x7a\x02ab" + b"\x79" + bytes(8)
        message = extra + metrics(extra + evaluation(4, 9, 0.3, 0.4)) + extra
        assert decode_metrics(message).test == 0.4

    @pytest.mark.parametrize("message", [b"", metrics(), b"\x0a\x00", b"\x10\x01", b"\x0a\x00\x10\x01"])
    def test_what_is_missing_is_named(self, message):
        with pytest.raises(ValueError, match=r"lack an evaluation|lack trainable_parameters|lacks field 1"):
            decode_metrics(message)

    @pytest.mark.parametrize("message", [b"\x0b", b"\x09\x00", b"\x0a\x05ab", b"\x80", b"\xff" * 12, b"\x0d\x00"])
    def test_damage_is_found(self, message):
        with pytest.raises(ValueError, match="metrics are damaged"):
            decode_metrics(message)

    @given(st.binary(max_size=60))
    def test_no_bytes_do_anything_else_than_being_refused(self, message):
        with pytest.raises(ValueError, match="metrics"):
            decode_metrics(message)


class TestTable:
    def test_trainings_are_combined_by_architecture(self, written):
        accuracies = (1000, 2000, 6000)
        records = [record(CELL, 108, n / 9984, (n + 9) / 9984, s) for s, n in enumerate(accuracies)]
        records += [record(OTHER, 108, 0.75, 0.5, 7.0)] * 3
        # The repeats of one architecture need not follow each other.
        table = read(written(*records[3:5], *records[:3], *records[5:]))
        assert list(table.index) == [module_hash(OTHER), module_hash(CELL)]
        row = table.loc[module_hash(CELL)]
        assert (row["vertices"], row["adjacency_bits"], row["ops"], row["cifar10/params"]) == (3, 0b111, "0", 7)
        assert row["cifar10/val/108"] == pytest.approx(100 * 3000 / 9984)
        assert row["cifar10/test/108"] == pytest.approx(100 * 3009 / 9984)
        assert row["cifar10/seconds/108"] == 1
        repeats = [row[f"cifar10/val/108/repeat-{repeat}"] for repeat in (1, 2, 3)]
        assert repeats == pytest.approx([100 * n / 9984 for n in accuracies])

    def test_each_length_has_its_columns(self, written):
        table = read(written(*(record(epochs=epochs) for epochs in (4, 12, 36, 108) for _ in range(3))))
        assert {f"cifar10/{split}/{epochs}" for split in ("test", "val") for epochs in (4, 12, 36, 108)} <= set(table)

    def test_equally_many_images_right_give_equal_means_whatever_their_order(self, written):
        def trained(cell, counts):
            return [record(cell, test=float(np.float32(count / 9984))) for count in counts]

        table = read(written(*trained(CELL, (9091, 8999, 9173)), *trained(OTHER, (9000, 9090, 9173))))
        assert table["cifar10/test/108"].nunique() == 1

    def test_many_architectures(self, written):
        cells = [Cell(7, 1 << 0 | 1 << 2 | 1 << 5 | 1 << 9 | 1 << 14 | 1 << 20, f"{n:05}") for n in range(2223)]
        cells = [cell for cell in cells if set(cell.operations) <= set("012")]
        table = read(written(*(record(cell, parameters=n) for n, cell in enumerate(cells) for _ in range(3))))
        assert table["ops"].tolist() == [cell.operations for cell in cells]
        assert table["cifar10/params"].tolist() == list(range(len(cells)))

    def test_a_progress_bar_tells_the_rate_on_a_terminal_only(self, written, monkeypatch, capsys):
        path = written(*[record()] * 3)
        monkeypatch.delenv("FORCE_COLOR", raising=False)
        read(path)
        assert capsys.readouterr().err == ""
        monkeypatch.setenv("FORCE_COLOR", "1")
        read(path)
        assert "records/s" in capsys.readouterr().err


class TestRefused:
    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"test": 1.01}, "its test accuracy is 1.01; expected: 0 to 1"),
            ({"validation": -0.1}, "its validation accuracy is -0.1"),
            ({"test": float("nan")}, "its test accuracy is nan"),
            ({"seconds": -1.0}, "its training time is -1 seconds"),
            ({"epochs": 200}, "it was trained for 200 epochs; expected: 4, 12, 36, 108"),
            ({"last_epoch": 54}, "its last evaluation is of epoch 54, but it was trained for 108"),
            ({"cell": OTHER, "name": "0" * 32}, f"the hash of that cell is '{module_hash(OTHER)}'"),
            ({"parameters": 8}, "differently from an earlier record"),
            ({"adjacency": "010001000"}, "differently from an earlier record"),
            ({"cell": OTHER, "operations": "input,conv5x5,maxpool3x3,output"}, "unknown operation 'conv5x5'"),
            ({"cell": OTHER, "adjacency": "0" * 64}, "not a matrix of zeros and ones for 4 vertices"),
            ({"name": "x", "adjacency": "0" * 64, "operations": "input," + "a," * 6 + "output"}, "has 8 vertices"),
            ({"name": "x", "adjacency": "010001100"}, "not upper triangular"),
        ],
    )
    def test_a_record_of_no_such_training(self, written, changed, reason):
        message = refusal(written(record(), record(**changed)))
        assert message.startswith("nasbench.tfrecord: record 2: ")
        assert reason in message

    def test_a_fourth_training(self, written):
        message = refusal(written(*[record()] * 4))
        assert f"record 4: '{module_hash(CELL)}' already has 3 trainings of 108 epochs" in message

    def test_a_missing_training(self, written):
        message = refusal(written(*[record()] * 3, *[record(OTHER)] * 2))
        assert f"'{module_hash(OTHER)}' has 2 trainings of 108 epochs; expected: 3 (1 of 2 architectures" in message

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\xff\xfe", "it is not JSON text"),
            (b"[" * 100_000, "it is not JSON text"),
            (b"{}", "it is not a list of module hash"),
            (b'["a", 108, "0100", "input,output"]', "it is not a list of module hash"),
            (b'["a", "108", "0100", "input,output", ""]', "it is not a list of module hash"),
            (b'["a", 108, "0100", "input,output", "abcde"]', "its metrics are not base64 text"),
            (b'["a", 108, "0100", "input,output", ""]', "its metrics lack an evaluation"),
        ],
    )
    def test_a_record_of_another_kind(self, written, content, reason):
        assert f"nasbench.tfrecord: record 1: {reason}" in refusal(written(content))

    def test_an_empty_file(self, written):
        assert refusal(written()) == "nasbench.tfrecord has no records"


@pytest.mark.real_data
class TestRealFormat:
    def test_every_record_of_a_real_file_is_read(self, real_data):
        records = [record for batch in read_records(real_data / SAMPLE) for record in batch.records]
        assert len(records) == 1092
        name, epochs, adjacency, operations, reached = decode_record(records[0])
        assert (name, epochs, adjacency) == ("5529e1779433733d1145e20de5d8604e", 36, "0110001100010000")
        assert operations == "input,conv1x1-bn-relu,conv3x3-bn-relu,output"
        assert (reached.parameters, reached.epoch) == (3468426, 36.0)
        assert (reached.validation, reached.test) == pytest.approx((0.91746795, 0.90935498))

    def test_it_becomes_a_table_with_the_hashes_and_the_parameters_of_its_cells(self, real_data):
        from harness_benchmarks.nasbench101.tables import describe_cells, parameter_counts

        table = read(real_data / SAMPLE)
        assert len(table) == 91
        assert np.array_equal(parameter_counts(describe_cells(table, SAMPLE)), table["cifar10/params"])
        assert table["cifar10/test/108"].median() > table["cifar10/test/36"].median() > table["cifar10/test/4"].median()

    def test_cut_short_it_is_refused(self, real_data, tmp_path):
        (tmp_path / SAMPLE).write_bytes((real_data / SAMPLE).read_bytes()[:-5])
        assert refusal(tmp_path / SAMPLE) == f"{SAMPLE}: record 1092: the file ends within its data"
