"""The record in a database: appended, refused, folded, shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.core.viewer import Role, Seat, Viewer

if TYPE_CHECKING:
    from tansiq.audit.models import Entry

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEAD = person("hana", Role.HEAD, team="XA-CERT")
AUDITOR = person("omar", seats=(Seat.AUDITOR,))
WHY = "Moussa asked for it on the telephone"


def recorded(
    verb: str = "case.opened", item: Any = ("case", "C-1"), *, by: Viewer = AMINA, at: datetime = NOW, **more: Any
) -> Entry:
    from tansiq.audit.actions import record

    return record(verb, item, by=by, now=at, **more)


def seen(viewer: Viewer, **asked: Any) -> list[str]:
    from tansiq.audit.queries import entries

    return [f"{row.verb} {row.item_kind}:{row.item_id}" for row in entries(viewer, now=NOW, **asked)]


def test_record_stores_who_what_which_when_and_why() -> None:
    from tansiq.audit.queries import entries

    entry = recorded(item=("case", 7), why=WHY, alerts=3, to=["XF-CERT"])

    (row,) = entries(AMINA, now=NOW, item=("case", 7))
    assert (row.number, row.at, row.who, row.team, row.verb) == (entry.number, NOW, "P-AMINA", "XA-CERT", "case.opened")
    assert (row.item_kind, row.item_id) == ("case", "7")
    assert (row.values, row.why, row.reason) == ({"alerts": 3, "to": ["XF-CERT"]}, WHY, "given")


def test_record_numbers_rows_without_a_gap() -> None:
    first = recorded().number

    assert [recorded().number for _ in range(3)] == [first + 1, first + 2, first + 3]


def test_record_of_a_model_names_it_by_model_and_code() -> None:
    from tansiq.members.models import Team

    entry = recorded("team.changed", Team.objects.get(code="MA-MACERT"))

    assert (entry.item_kind, entry.item_id) == ("team", "MA-MACERT")


def test_record_in_a_transaction_that_fails_leaves_no_row_and_no_gap() -> None:
    from django.db import transaction

    from tansiq.audit.models import Entry

    before = recorded().number
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        recorded()
        _ = 1 / 0

    assert recorded().number == before + 1
    assert Entry.objects.filter(number__gt=before).count() == 1


def test_record_of_what_is_no_code_fails_and_takes_the_work_with_it() -> None:
    from django.db import transaction

    from tansiq.audit.form import NotRecordable
    from tansiq.members.models import Team

    with pytest.raises(NotRecordable), transaction.atomic():
        Team.objects.filter(code="MA-MACERT").update(name_en="changed")
        recorded(address="amina@cert.example")

    assert Team.objects.get(code="MA-MACERT").name_en != "changed"


def test_record_by_a_guest_is_refused() -> None:
    from tansiq.audit.form import NotRecordable

    with pytest.raises(NotRecordable):
        recorded(by=NOBODY)


def test_record_of_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        recorded(at=datetime(2026, 3, 1))


def test_record_takes_the_same_few_queries_whatever_stands_in_the_chain() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for rows in (1, 3):
        for _ in range(rows):
            recorded()
        with CaptureQueriesContext(connection) as captured:
            recorded(why=WHY)
        counts.append(len([query for query in captured if "SAVEPOINT" not in query["sql"]]))

    assert counts == [4, 4]


def test_record_read_again_within_the_hour_adds_no_row() -> None:
    from tansiq.audit.actions import record_read

    first = record_read(("contact", 7), by=AMINA, now=NOW)
    again = record_read(("contact", 7), by=AMINA, now=NOW + timedelta(minutes=59, seconds=59))
    later = record_read(("contact", 7), by=AMINA, now=NOW + timedelta(hours=1))

    assert first is not None and later is not None
    assert (again, later.number) == (None, first.number + 1)


def test_record_read_of_another_item_or_by_another_person_adds_a_row() -> None:
    from tansiq.audit.actions import record_read

    rows = [
        record_read(("contact", 7), by=AMINA, now=NOW),
        record_read(("contact", 8), by=AMINA, now=NOW),
        record_read(("contact", 7), by=MOUSSA, now=NOW),
        record_read(("contact", 7), by=person("amina", Role.ANALYST, team="XE-CERT"), now=NOW),
    ]

    assert None not in rows


def test_models_refuse_every_write_but_the_appenders() -> None:
    from tansiq.audit.models import AppendOnly, Entry, Head, Reason

    entry = recorded(why=WHY)
    attempts = [
        entry.save,
        entry.delete,
        lambda: Entry.objects.filter(pk=entry.pk).update(who="P-MOUSSA"),
        lambda: Entry.objects.filter(pk=entry.pk).delete(),
        lambda: Entry.objects.create(number=99),
        lambda: Entry.objects.bulk_create([Entry(number=99)]),
        lambda: Entry.objects.bulk_update([entry], ["who"]),
        lambda: Entry.objects.update_or_create(number=99),
        lambda: Entry.objects.get_or_create(number=99),
        Reason.objects.get(pk=entry.pk).delete,
        Head.objects.get().save,
        lambda: Head.objects.all().delete(),
    ]

    for attempt in attempts:
        with pytest.raises(AppendOnly):
            attempt()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET who = 'P-MOUSSA'",
        "UPDATE audit_entry SET hash = hash",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_reason",
        "UPDATE audit_reason SET text = 'another'",
        "UPDATE audit_head SET hash = 'x'",
        "UPDATE audit_head SET number = number - 1",
        "DELETE FROM audit_head",
    ],
)
def test_database_refuses_changes_by_plain_sql(statement: str) -> None:
    from django.db import IntegrityError, connection, transaction

    recorded(why=WHY)

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_erase_reason_takes_the_words_and_leaves_a_chain_that_holds() -> None:
    from tansiq.audit import actions, queries
    from tansiq.audit.models import Reason
    from tansiq.audit.verify import verify

    entry = recorded(why=WHY)
    erasure = actions.erase_reason(entry.number, by=HEAD, now=NOW, because="request-of-the-person")

    (row,) = [row for row in queries.entries(HEAD, now=NOW) if row.number == entry.number]
    kept = Reason.objects.values("text", "salt", "erased_by").get(pk=entry.pk)
    assert kept == {"text": "", "salt": "", "erased_by": erasure.number}
    assert (row.why, row.reason) == ("", "erased")
    assert (erasure.verb, erasure.item_kind, erasure.item_id) == ("audit.reason-erased", "entry", str(entry.number))
    assert verify().broken is None


def test_erase_reason_by_another_than_the_head_is_not_allowed() -> None:
    from tansiq.audit.actions import erase_reason
    from tansiq.core.decision import NotAllowed

    entry = recorded(why=WHY)

    for viewer in (AMINA, MOUSSA, GRACE, AUDITOR):
        with pytest.raises(NotAllowed):
            erase_reason(entry.number, by=viewer, now=NOW, because="request-of-the-person")


def test_erase_reason_twice_or_where_there_is_none_is_refused() -> None:
    from tansiq.audit.actions import NoReason, erase_reason

    given, none = recorded(why=WHY), recorded()
    erase_reason(given.number, by=HEAD, now=NOW, because="request-of-the-person")

    for number in (given.number, none.number, 10**9):
        with pytest.raises(NoReason):
            erase_reason(number, by=HEAD, now=NOW, because="request-of-the-person")


def test_entries_show_auditors_that_there_is_a_reason_not_what_it_says() -> None:
    from tansiq.audit.queries import entries

    recorded(why=WHY)

    (row, *_) = entries(AUDITOR, now=NOW)
    assert (row.why, row.reason) == ("", "withheld")


def test_entries_are_chosen_by_item_person_verb_and_time_newest_first() -> None:
    recorded("case.opened", ("case", "C-1"))
    recorded("case.closed", ("case", "C-1"), at=NOW + timedelta(hours=1))
    recorded("alert.sent", ("alert", "A-1"), by=MOUSSA, at=NOW + timedelta(hours=2))

    assert seen(AUDITOR, item=("case", "C-1")) == ["case.closed case:C-1", "case.opened case:C-1"]
    assert seen(AUDITOR, item=("case", "")) == ["case.closed case:C-1", "case.opened case:C-1"]
    assert seen(AUDITOR, by="P-MOUSSA") == ["alert.sent alert:A-1"]
    assert seen(AUDITOR, verb="case.closed") == ["case.closed case:C-1"]
    assert seen(AUDITOR, verb="case.", limit=1) == ["case.closed case:C-1"]
    hour = NOW + timedelta(hours=1)
    assert seen(AUDITOR, since=hour, until=hour + timedelta(hours=1)) == ["case.closed case:C-1"]


def test_entries_go_on_before_the_last_row_of_a_page() -> None:
    numbers = [recorded().number for _ in range(3)]

    assert len(seen(AMINA, before=numbers[2], limit=2)) == 2
    assert seen(AMINA, before=numbers[0]) == []


def test_entries_seen_are_exactly_those_that_the_rule_allows() -> None:
    from tansiq.audit.models import Entry
    from tansiq.audit.queries import facts, visible
    from tansiq.audit.rules import may_see

    viewers = [
        AMINA, MOUSSA, GRACE, RACHED, NOBODY, HEAD, AUDITOR, key_of("XA-CERT"), Viewer.system(because="digest"),
        person("fatou", Role.HEAD, team="XF-CERT", seats=(Seat.SECRETARIAT,)),
    ]  # fmt: skip
    for viewer in viewers:
        if not viewer.nobody:
            for verb in ("case.opened", "item.read", "claim.stated"):
                for item in (("case", "C-1"), ("claim", "7"), ("team", "XA-CERT"), ("team", "XF-CERT")):
                    recorded(verb, item, by=viewer)
    rows = list(Entry.objects.order_by("number"))

    for viewer in viewers:
        allowed = [row.number for row in rows if may_see(facts(row), viewer)]
        found = list(Entry.objects.filter(visible(viewer)).order_by("number").values_list("number", flat=True))
        assert found == allowed
    assert len(rows) == 9 * 12


def test_entries_take_one_query_whatever_the_number_of_rows() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for _ in range(3):
        recorded(why=WHY)

    with CaptureQueriesContext(connection) as captured:
        seen(AMINA)

    assert len(captured) == 1
