"""Whatever is done to the record behind the program's back is found, and at which row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from people import AMINA, GRACE, MOUSSA, person
from tansiq.core.viewer import Role

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 6
WITH_REASON = 3
drawn = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def chain_of(rows: int = ROWS) -> Iterator[None]:
    """A chain without guards, of which row 3 has a reason; undone at the end."""
    from django.db import transaction

    from tansiq.audit.actions import record

    with transaction.atomic():
        start_afresh()
        for number in range(1, rows + 1):
            why = "as the team asked" if number == WITH_REASON else ""
            record("case.opened", ("case", number), by=AMINA, now=NOW + timedelta(minutes=number), why=why, n=number)
        yield
        transaction.set_rollback(True)


BITS = pytest.mark.sqlite(why="writes bytes that are no text, which PostgreSQL refuses to hold")


def start_afresh() -> None:
    from django.db import connection

    from tansiq.audit.guards import GUARDS

    for name in GUARDS:
        on = f" ON {name.rpartition('_')[0]}" if connection.vendor == "postgresql" else ""
        sql(f"DROP TRIGGER IF EXISTS {name}{on}")
    for table in ("audit_reason", "audit_entry"):
        sql(f"DELETE FROM {table}")
    sql("UPDATE audit_head SET number = 0, hash = %s", "0" * 64)


def sql(statement: str, *values: Any) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def found(**asked: Any) -> tuple[int, str] | None:
    from tansiq.audit.verify import verify

    broken = verify(**asked).broken
    return (broken.number, broken.fault.value) if broken else None


def test_verify_a_chain_as_recorded_finds_nothing() -> None:
    from tansiq.audit.verify import verify

    with chain_of():
        verdict = verify()

    assert (verdict.broken, verdict.rows, verdict.number, verdict.guarded) == (None, ROWS, ROWS, False)


def test_verify_an_empty_chain_finds_nothing_and_the_guards_in_place() -> None:
    from tansiq.audit.verify import verify

    verdict = verify()

    assert (verdict.broken, verdict.guarded) == (None, True)


@pytest.mark.parametrize("batch_rows", [1, 2, ROWS - 1, ROWS, ROWS + 1])
def test_verify_in_batches_of_any_size_is_the_same(batch_rows: int) -> None:
    with chain_of():
        assert found(batch_rows=batch_rows) is None
        sql("UPDATE audit_entry SET who = 'P-MOUSSA' WHERE number = 5")
        assert found(batch_rows=batch_rows) == (5, "changed")


FIELDS = ("at", "who", "team", "verb", "item_kind", "item_id", "facts", "reason_digest", "hash")


@BITS
@drawn
@given(number=st.integers(1, ROWS), field=st.sampled_from(FIELDS), data=st.data())
def test_verify_finds_any_changed_bit_at_its_row(number: int, field: str, data: st.DataObject) -> None:
    with chain_of():
        ((text,),) = sql(f"SELECT CAST({field} AS BLOB) FROM audit_entry WHERE number = %s", number)
        changed = bytearray(text or b"\x00")
        bit = data.draw(st.integers(0, len(changed) * 8 - 1))
        changed[bit // 8] ^= 1 << bit % 8
        sql(f"UPDATE audit_entry SET {field} = CAST(%s AS TEXT) WHERE number = %s", bytes(changed), number)

        assert found() == (number, "changed")


@BITS
@drawn
@given(bit=st.integers(0, 62), number=st.sampled_from([1, 2, 4, 5, 6]))
def test_verify_finds_any_changed_bit_of_a_number(bit: int, number: int) -> None:
    other = number ^ 1 << bit
    assume(not 1 <= other <= ROWS)  # two rows cannot have one number
    with chain_of():
        sql("PRAGMA ignore_check_constraints = 1")
        sql("UPDATE audit_entry SET number = %s WHERE number = %s", other, number)
        broken = found()
        sql("PRAGMA ignore_check_constraints = 0")

        assert broken == ((number, "missing") if other > 0 else (0, "changed"))


@BITS
@drawn
@given(data=st.data(), field=st.sampled_from(["text", "salt"]))
def test_verify_finds_any_changed_bit_of_a_reason_at_its_row(data: st.DataObject, field: str) -> None:
    with chain_of():
        ((text,),) = sql(f"SELECT CAST({field} AS BLOB) FROM audit_reason")
        changed = bytearray(text)
        bit = data.draw(st.integers(0, len(changed) * 8 - 1))
        changed[bit // 8] ^= 1 << bit % 8
        sql(f"UPDATE audit_reason SET {field} = CAST(%s AS TEXT)", bytes(changed))

        assert found() == (WITH_REASON, "reason-changed")


def test_verify_row_taken_out_is_missing() -> None:
    with chain_of():
        sql("DELETE FROM audit_entry WHERE number = 2")

        assert found() == (2, "missing")


def test_verify_tail_cut_off_is_missing() -> None:
    with chain_of():
        sql("DELETE FROM audit_entry WHERE number > 4")

        assert found() == (5, "missing")


def test_verify_two_rows_exchanged_is_changed() -> None:
    with chain_of():
        sql("UPDATE audit_entry SET number = 99 WHERE number = 4")
        sql("UPDATE audit_entry SET number = 4 WHERE number = 5")
        sql("UPDATE audit_entry SET number = 5 WHERE number = 99")

        assert found() == (4, "changed")


def test_verify_row_added_by_hand_is_beyond_the_head() -> None:
    with chain_of():
        sql(
            "INSERT INTO audit_entry SELECT 7, at, who, team, verb, item_kind, item_id, facts, '', hash"
            " FROM audit_entry WHERE number = 6"
        )

        assert found() == (7, "beyond")


def test_verify_head_that_names_another_hash_is_found() -> None:
    with chain_of():
        sql("UPDATE audit_head SET hash = %s", "1" * 64)

        assert found() == (ROWS, "head")


def test_verify_head_taken_away_is_found() -> None:
    with chain_of():
        sql("DELETE FROM audit_head")

        assert found() == (ROWS, "head")


def test_verify_reason_taken_away_without_an_erasure_is_found() -> None:
    with chain_of():
        sql("DELETE FROM audit_reason")

        assert found() == (WITH_REASON, "reason-missing")


def test_verify_reason_blanked_by_hand_as_if_erased_is_found() -> None:
    with chain_of():
        sql("UPDATE audit_reason SET text = '', salt = '', erased_by_id = 4")

        assert found() == (WITH_REASON, "reason-missing")


def test_verify_reason_put_beside_a_row_that_had_none_is_found() -> None:
    with chain_of():
        sql("INSERT INTO audit_reason (entry_id, text, salt) VALUES (2, 'because', '00')")

        assert found() == (2, "reason-changed")


def test_verify_reason_erased_by_the_action_holds() -> None:
    from tansiq.audit.actions import erase_reason

    with chain_of():
        head = person("hana", Role.HEAD, team="XA-CERT")
        erase_reason(WITH_REASON, by=head, now=NOW, because="request-of-the-person")

        assert found() is None


def test_verify_chain_made_anew_holds_by_itself_and_is_found_by_a_noted_hash() -> None:
    from tansiq.audit.actions import record
    from tansiq.audit.queries import head
    from tansiq.audit.verify import Noted

    with chain_of():
        noted = Noted(4, sql("SELECT hash FROM audit_entry WHERE number = 4")[0][0])
        assert found(against=noted) is None

        start_afresh()
        for number in range(1, ROWS + 1):
            record("case.opened", ("case", number), by=MOUSSA, now=NOW)

        assert found() is None
        assert found(against=noted) == (4, "noted")
        assert found(against=Noted(head().number, head().hash)) is None


def test_verify_tail_cut_off_with_its_head_is_found_by_a_noted_hash() -> None:
    from tansiq.audit.queries import head
    from tansiq.audit.verify import Noted

    with chain_of():
        noted = Noted(head().number, head().hash)
        sql("DELETE FROM audit_entry WHERE number > 4")
        sql("UPDATE audit_head SET number = 4, hash = (SELECT hash FROM audit_entry WHERE number = 4)")

        assert found() is None
        assert found(against=noted) == (5, "missing")


@pytest.mark.parametrize(
    ("number", "hash"), [(1, None), (None, "0" * 64), (-1, "0" * 64), (1, "0" * 63), (1, "g" * 64), (1, "")]
)
def test_noted_of_half_a_note_is_refused(number: int | None, hash: str | None) -> None:
    from tansiq.audit.verify import BadNote, noted

    with pytest.raises(BadNote):
        noted(number, hash)


moves = st.lists(
    st.tuples(
        st.sampled_from(["record", "read", "erase"]),
        st.sampled_from([AMINA, MOUSSA, GRACE]),
        st.integers(0, 7200),
        st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30),
    ),
    max_size=12,
)


@drawn
@given(moves=moves)
def test_verify_any_sequence_of_moves_holds_without_a_gap(moves: list[Any]) -> None:
    from tansiq.audit.actions import NoReason, erase_reason, record, record_read
    from tansiq.audit.models import Entry
    from tansiq.core.viewer import Seat

    keeper = person("hana", Role.HEAD, team="XA-CERT", seats=(Seat.SECRETARIAT,))
    with chain_of(rows=WITH_REASON):
        for move, by, seconds, text in moves:
            now = NOW + timedelta(seconds=seconds)
            if move == "record":
                record("case.opened", ("case", seconds), by=by, now=now, why=text, n=seconds)
            elif move == "read":
                record_read(("contact", seconds % 3), by=by, now=now)
            else:
                with suppress(NoReason):
                    erase_reason(WITH_REASON, by=keeper, now=now, because="asked")

        numbers = list(Entry.objects.order_by("number").values_list("number", flat=True))
        assert found() is None
        assert numbers == list(range(1, len(numbers) + 1))
