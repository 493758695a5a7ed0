"""Seeds and messages depend only on their arguments."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from harness._utils.names import unknown_name
from harness.seeds import derive_seed

EXPECTED = 3249668490561753501

parts = st.lists(st.one_of(st.integers(), st.text(st.characters(exclude_characters="\x1f"))), max_size=5)


@given(one=parts, other=parts)
def test_seeds_agree_exactly_where_their_keys_do(one, other):
    assert (derive_seed(*one) == derive_seed(*other)) == (one == other)


@given(key=parts)
def test_a_seed_fits_every_generator(key):
    assert 0 <= derive_seed(*key) < 2**63


def test_a_number_is_not_its_digits():
    assert derive_seed("weights", 1) != derive_seed("weights", "1")


def test_seeds_are_the_same_in_another_process_and_for_ever():
    # Changing these numbers changes every score that was ever stored.
    assert derive_seed("weights", "nats-tss", "cifar10", 0) == EXPECTED
    code = "from harness.seeds import derive_seed; print(derive_seed('weights', 'nats-tss', 'cifar10', 0))"
    for hash_seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(filter(None, sys.path))}
        found = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert int(found.stdout) == EXPECTED


def test_an_unknown_name_suggests_the_nearest_and_lists_all():
    message = unknown_name("benchmark", "nats-ts", ["nats-tss", "digits", "nats-sss"])
    assert message.startswith("unknown benchmark 'nats-ts': did you mean 'nats-tss'")
    assert message.endswith("Known: digits, nats-sss, nats-tss")
    assert "\n" not in message


def test_a_name_that_is_near_nothing_suggests_nothing():
    assert unknown_name("proxy", "zzz", ["snip", "grasp"]) == "unknown proxy 'zzz': Known: grasp, snip"


@given(
    known=st.lists(st.text("abcdef_-", min_size=3, max_size=12), min_size=1, max_size=6, unique=True), data=st.data()
)
def test_leaving_out_one_letter_still_finds_the_name(known, data):
    name = data.draw(st.sampled_from(known))
    position = data.draw(st.integers(0, len(name) - 1))
    typed = name[:position] + name[position + 1 :]
    message = unknown_name("proxy", typed, known)
    assert "did you mean" in message
    near_equal = sum(abs(len(k) - len(name)) <= 1 and sorted(k) != sorted(name) for k in known)
    assert near_equal >= 3 or f"'{name}'" in message
