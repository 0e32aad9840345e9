"""The links' pages: every state, who sees how much, what people do, and how much it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from factories import desk, links, signin
from factories.exchange_bodies import Stream
from tansiq.core.viewer import Role

pytestmark = pytest.mark.usefixtures("database", "contexts", "forgotten")
PAGE = "/exchange/"


@pytest.fixture
def filled(forgotten: None) -> tuple[int, int]:
    return links.filled(signin.now())


def text_of(answer: Any) -> str:
    return re.sub(r"<[^>]+>", " ", answer.content.decode())


# ---- all links


def test_page_shows_every_link_in_its_state_as_picture_and_as_table(filled: Any) -> None:
    answer = desk.at_door("amina").get(PAGE)

    shown = {line.link.peer: line.standing for line in answer.context["lines"]}
    drawn = {spoke.point.code: spoke.point.standing for spoke in answer.context["picture"].spokes}
    from tansiq.web.exchange.words import STANDINGS

    assert drawn == links.EVERY_STATE
    assert shown == {peer: str(STANDINGS[state]) for peer, state in links.EVERY_STATE.items()}
    page = answer.content.decode()
    assert all(f'aria-label="{peer}: {said}' in page for peer, said in shown.items())


def test_page_says_what_the_rows_say_of_one_link(filled: Any) -> None:
    link = next(line.link for line in desk.at_door("amina").get(PAGE).context["lines"] if line.link.peer == "XE")

    waits = {lane.value: (one.count, one.size_bytes) for lane, one in link.backlog.items()}
    assert waits == {"normal": (1, 4_096), "bulk": (2, 100_000)}
    assert (link.parked, link.quarantined, link.recalls_open) == ({"reference": 1}, {"payload": 1}, 1)
    assert [(way.way, way.reaches(signin.now())) for way in link.ways] == [("jetstream", True), ("mail", False)]
    assert (link.key.from_epoch, link.key.due_at - link.key.since) == (1, timedelta(days=90))


@pytest.mark.parametrize("page", [PAGE, "/exchange/links/XE/"])
def test_pages_say_which_program_a_peer_runs(filled: Any, page: str) -> None:
    assert "tansiq/0.9.2" in desk.at_door("amina").get(page).content.decode()


def test_page_costs_the_same_for_three_links_as_for_fifty(forgotten: None) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tansiq.exchange.models import Link, OutboxRow, RosterRecord
    from tansiq.exchange.node import rosters

    amina = desk.at_door("amina")
    amina.get("/")
    taken = []
    for count in (3, 50):
        for model in (OutboxRow, Link, RosterRecord):
            model.objects.all().delete()
        rosters._read.clear()
        peers = [f"Y{number}" for number in range(10, 10 + count)]
        links.federated(peers=peers)
        Link.objects.bulk_create([Link(peer=peer, heard_at=signin.now()) for peer in peers])
        for peer in peers:
            stated = links.statement(f"XA-CERT:{peer}.{count}", made_at=signin.now())
            OutboxRow.objects.create(peer=peer, lane="bulk", statement=stated, size_bytes=1, put_at=signin.now())
        with CaptureQueriesContext(connection) as captured:
            answer = amina.get(PAGE)
        assert len(answer.context["lines"]) == count
        taken.append(len(captured))

    assert taken[0] == taken[1]


def test_node_without_a_roster_says_what_to_do(forgotten: None) -> None:
    from tansiq.members.models import Node

    Node.objects.create(
        pk=1, code="XA", name="XA", language="en", team=signin.team_of("XA-CERT"), set_up_at=signin.now()
    )

    answer = desk.at_door("amina").get(PAGE)

    assert answer.status_code == 200
    assert "tansiq roster request" in answer.content.decode()


def test_pages_ask_for_no_key_of_the_node(filled: Any) -> None:
    """The factory drew none: a page that loaded keys would fail."""
    amina = desk.at_door("amina")

    paths = (PAGE, "/exchange/links/XE/", "/exchange/waiting/", "/exchange/recalls/")

    assert [amina.get(path).status_code for path in paths] == [200] * 4


def test_hostile_addresses_are_not_there_and_break_nothing(filled: Any) -> None:
    amina = desk.at_door("amina")

    for peer in ("XZ", "..", "%27", "x" * 4000, "XA", "<svg onload=1>", "٣"):
        assert amina.get(f"/exchange/links/{peer}/").status_code == 404
    for number in ("0", str(2**63), "9" * 300):
        assert amina.get(f"/exchange/waiting/{number}/").status_code == 404
        assert amina.post(f"/exchange/waiting/{number}/retry/").status_code == 404
    for query in ("before=-1", "before=٣", "before=" + "9" * 400, "state=x", "peer=%00", "reason=" + "x" * 9000):
        assert amina.get(f"/exchange/waiting/?{query}").status_code in (200, 400)


def test_node_that_left_is_listed_without_a_link_to_a_page(filled: Any) -> None:
    from tansiq.exchange.models import RecallOrder

    RecallOrder.objects.filter(peer="XC").update(peer="XZ")

    page = desk.at_door("amina").get("/exchange/recalls/").content.decode()

    assert (">XZ<" in page, "/exchange/links/XZ/" in page, "/exchange/links/XG/" in page) == (True, False, True)


def test_recall_that_nobody_answers_for_a_day_is_unreachable_until_the_answer_comes(filled: Any) -> None:
    from tansiq.exchange.body import ObjectState, State, Version
    from tansiq.exchange.models import RecallOrder, Statement
    from tansiq.exchange.node import orders
    from tansiq.exchange.reasons import Reason

    order = RecallOrder.objects.get(peer="XC")
    order.statement = Statement.objects.latest("pk")
    Statement.objects.filter(pk=order.statement.pk).update(object="XA-CERT:recall.7f50")
    amina, shown = desk.at_door("amina"), []
    for silent in (timedelta(hours=23, minutes=59), timedelta(hours=24)):
        order.ordered_at = signin.now() - silent
        order.save()
        shown.append(outcome_of(amina, "XC"))
    said = ObjectState(object="XA-CERT:recall.7f50", version=Version(1, 1), state=State.RECALLED, reason=Reason.DELETED)
    orders.on_states(None, "XC", [said], signin.now())
    shown.append(outcome_of(amina, "XC"))

    assert shown == [("no answer yet", ""), ("unreachable", "no answer for a day"), ("deleted", "")]
    assert order.outcome == ""


def outcome_of(client: Any, peer: str) -> tuple[str, str]:
    """The badge in the row of this node, and what stands beside it."""
    page = client.get(f"/exchange/recalls/?peer={peer}").content.decode()
    (badge, rest) = re.findall(r'<td><span class="badge \w+">([^<]*)</span>([^<]*)', page)[0]
    return badge, rest.strip()


# ---- who sees how much


@pytest.mark.parametrize("name", ["karim", "grace", "yusuf"])
def test_others_are_refused_in_words(filled: Any, name: str) -> None:
    answer = desk.at_door(name).get(PAGE)

    assert answer.status_code == 403
    assert "Links are for the head, the duty officers and the analysts of a team." in text_of(answer)


def test_team_that_does_not_live_here_is_refused(forgotten: None) -> None:
    links.federated(guests=())

    assert desk.at_door("moussa").get(PAGE).status_code == 403


def test_guest_sees_its_own_objects_and_nothing_else(filled: Any) -> None:
    moussa = desk.at_door("moussa")

    paths = (
        PAGE,
        "/exchange/links/XE/",
        "/exchange/waiting/",
        "/exchange/waiting/?state=refused",
        "/exchange/recalls/",
    )
    pages = "\n".join(text_of(moussa.get(path)) for path in paths)

    assert [name in pages for name in (links.GUESTS, links.FOR_GUESTS)] == [True, True]
    assert [name in pages for name in (links.OURS, links.THEIRS, links.SECRET)] == [False] * 3
    held = moussa.get(PAGE).context["held"]
    assert [(one.peer, one.waiting.count, one.recalls_open) for one in held] == [("XE", 1, 1)]
    assert moussa.get(f"/exchange/waiting/{filled[0]}/").status_code == 404
    assert moussa.post("/exchange/links/XE/compare/").status_code == 403
    assert moussa.post(f"/exchange/alarms/{filled[1]}/end/").status_code == 403


def test_operator_sees_headers_of_what_is_not_for_them_and_never_its_content(filled: Any) -> None:
    from tansiq.exchange.models import Waiting

    number = Waiting.objects.get(object=links.FOR_GUESTS).pk
    amina = desk.at_door("amina")

    answer = amina.get(f"/exchange/waiting/{number}/")

    assert links.FOR_GUESTS in text_of(answer)
    assert "For guests" not in answer.content.decode()
    assert amina.post(f"/exchange/waiting/{number}/refuse/").status_code == 403


def test_content_is_shown_to_whom_its_marking_shows_it(filled: Any) -> None:
    answer = desk.at_door("amina").get(f"/exchange/waiting/{filled[0]}/")

    assert links.SECRET in answer.content.decode()


def test_content_is_shown_to_nobody_while_the_node_is_held(filled: Any) -> None:
    from tansiq.exchange.models import Life

    Life.objects.create(pk=1, number=1, held_since=signin.now(), reason="restored", began_at=signin.now())

    answer = desk.at_door("amina").get(f"/exchange/waiting/{filled[0]}/")

    assert answer.status_code == 200
    assert links.SECRET not in answer.content.decode()


def test_hostile_content_is_shown_as_text(filled: Any) -> None:
    text = "<script>1</script> \u202eevil & <b>"
    number = links.came("case.hostile", at=signin.now(), stream=Stream("XE", "XA", given=9), text=text).pk

    page = desk.at_door("amina").get(f"/exchange/waiting/{number}/").content.decode()

    assert "<script>1" not in page
    assert "\u202e" not in page
    assert r"\u202eevil &amp; &lt;b&gt;" in page


def test_content_of_what_was_altered_is_not_shown(filled: Any) -> None:
    from tansiq.exchange.models import Waiting

    Waiting.objects.filter(pk=filled[0]).update(body=b"{}")

    answer = desk.at_door("amina").get(f"/exchange/waiting/{filled[0]}/")

    assert (answer.status_code, answer.context["content"]) == (200, None)


def test_reading_what_is_red_is_on_record(filled: Any) -> None:
    from tansiq.audit.models import Entry
    from tansiq.core.marking import Audience, Marking, Tlp
    from tansiq.exchange import canonical, markings
    from tansiq.exchange.models import Waiting
    from tansiq.members.models import Person

    amina = desk.at_door("amina")
    code = Person.objects.get(email="amina@cert.example").code
    red = [Marking(Tlp.RED, "XE-CERT", Audience.of(persons=[code]))]
    body = Stream("XE", "XA", given=20).says("red", team="XE-CERT", object="XE-CERT:red", marking=red)
    assert canonical.read(body.content)
    row = links.came("case.red", at=signin.now(), stream=Stream("XE", "XA", given=30))
    Waiting.objects.filter(pk=row.pk).update(marking_text=markings.write(red), object="XE-CERT:red", body=body.content)

    amina.get(f"/exchange/waiting/{row.pk}/")
    amina.get("/exchange/waiting/")

    read = Entry.objects.filter(verb="item.read").values_list("item_kind", "item_id", "who")
    assert list(read) == [("object", "XE-CERT:red", code)]


# ---- what people do


@pytest.fixture
def with_keys(forgotten: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This node with keys of its own, in a federation with XE, XF-CERT its guest."""
    from django.conf import settings

    from tansiq.core.home import Home

    home = Home(path=tmp_path, lake=tmp_path / "lake", lake_catalogue="")
    monkeypatch.setattr(settings, "HOME", home)
    links.federated(peers=("XE",), guests=(), request=links.drawn(home))


def verbs() -> list[tuple[str, str]]:
    from tansiq.audit.models import Entry

    return list(Entry.objects.filter(verb__startswith="exchange.").values_list("verb", "item_id"))


def test_person_who_may_see_it_refuses_it_for_good(with_keys: None) -> None:
    from tansiq.exchange.models import Waiting

    row = links.came("case.7f43", at=signin.now())
    amina = desk.at_door("amina")

    answer = amina.post(f"/exchange/waiting/{row.pk}/refuse/", follow=True)

    assert "It is refused for good" in text_of(answer)
    row.refresh_from_db()
    assert (row.state, row.refused_by != "") == ("refused", True)
    assert verbs() == [("exchange.refused", links.THEIRS)]
    again = amina.post(f"/exchange/waiting/{row.pk}/refuse/", follow=True)
    assert "Nothing waits here under the number" in text_of(again)
    assert Waiting.objects.count() == 1


def test_person_who_may_see_it_has_it_tried_again(with_keys: None) -> None:
    row = links.came("case.7f43", at=signin.now(), reason="payload")

    desk.at_door("amina").post(f"/exchange/waiting/{row.pk}/retry/")

    row.refresh_from_db()
    assert (row.state, row.reason) == ("quarantined", "author.unknown_key")  # its key is in no roster here
    assert verbs() == [("exchange.retried", links.THEIRS)]


def test_trouble_with_the_keys_is_said_and_changes_nothing(filled: Any) -> None:
    answer = desk.at_door("amina").post(f"/exchange/waiting/{filled[0]}/retry/", follow=True)

    assert "This node has no keys for the exchange yet." in text_of(answer)
    assert verbs() == []


def test_comparison_is_asked_for_and_on_record(filled: Any) -> None:
    from tansiq.exchange.models import Link

    desk.at_door("amina").post("/exchange/links/XE/compare/")

    assert Link.objects.get(peer="XE").incomplete_since is not None
    assert verbs() == [("exchange.comparison_asked", "XE")]


def test_alarm_is_ended_by_the_head_and_not_by_an_analyst(filled: Any) -> None:
    from tansiq.exchange.models import Alarm

    assert desk.at_door("amina").post(f"/exchange/alarms/{filled[1]}/end/").status_code == 403
    hanan = desk.at_door("hanan")
    lasting = Alarm.objects.get(code="exchange.clone").pk

    answers = [hanan.post(f"/exchange/alarms/{number}/end/").status_code for number in (filled[1], lasting)]

    assert answers == [303, 403]
    assert Alarm.objects.get(pk=filled[1]).ended_by != ""
    assert verbs() == [("exchange.alarm_ended", "XH")]


def test_peer_is_waived_with_a_reason_while_the_node_is_held(with_keys: None) -> None:
    from tansiq.exchange.models import Life, Link

    now = signin.now()
    Life.objects.create(pk=1, number=1, held_since=now, reason="restored", began_at=now)
    Link.objects.create(peer="XE", asking_since=now)
    hanan = desk.at_door("hanan")
    held = hanan.get("/exchange/links/XE/")
    hanan.post("/exchange/links/XE/waive/", {"reason": "   "})
    unsaid = Link.objects.get(peer="XE").waived_at

    hanan.post("/exchange/links/XE/waive/", {"reason": "Its building burnt down."})

    assert (held.context["may_waive"], unsaid) == (True, None)
    assert Link.objects.get(peer="XE").waived_reason == "Its building burnt down."
    assert Life.objects.get(pk=1).held_since is None
    assert ("exchange.waived", "XE") in verbs()


def test_somebody_keeps_what_they_may_see_and_learns_of_nothing_else(filled: Any) -> None:
    from tansiq.exchange.models import SharedObject

    for name, team in ((links.THEIRS, "XA-CERT"), (links.FOR_GUESTS, "XF-CERT")):
        stated = links.statement(name, made_at=signin.now())
        from tansiq.core.marking import Audience, Marking, Tlp
        from tansiq.exchange import markings
        from tansiq.exchange.models import MarkingSet

        text = markings.write([Marking(Tlp.AMBER_STRICT, "XE-CERT", Audience.of(teams=[team]))])
        stated.marking = MarkingSet.objects.create(key=team, text=text)
        stated.save()
        SharedObject.objects.create(object=name, kind="case.note", owner="XE-CERT", statement=stated)
    amina = desk.at_door("amina")

    answers = [
        amina.post("/exchange/recalls/", {"object": name, "reason": "law", "why": "Decree 7"})
        for name in (links.THEIRS, links.FOR_GUESTS, "XE-CERT:absent", links.OURS)
    ]

    assert [answer.status_code for answer in answers] == [303, 422, 422, 422]
    told = {
        re.sub(r"X[A-Z-]+:[\w.]+", "…", text_of(answer)).count("or it is not yours to see") for answer in answers[1:]
    }
    assert told == {1}
    assert list(SharedObject.objects.exclude(kept_reason="").values_list("object", "kept_reason")) == [
        (links.THEIRS, "law")
    ]
    assert verbs() == [("exchange.kept", links.THEIRS)]


# ---- while the node is held


EVERYWHERE = ("/", "/teams/", "/teams/XA-CERT/", "/map/", PAGE, "/exchange/links/XE/", "/exchange/waiting/",
    "/exchange/recalls/")  # fmt: skip
OLD = "What is shown here may be from before a restore, and changed or recalled since."


@pytest.mark.parametrize(("name", "team"), [("amina", "XA-CERT"), ("moussa", "XF-CERT")])
def test_pages_of_a_held_node_say_that_they_may_be_from_before(filled: Any, name: str, team: str) -> None:
    from tansiq.exchange.models import Life

    pages = (*EVERYWHERE, f"/teams/{team}/contacts/")
    door = desk.at_door(name)
    before = [page for page in pages if OLD in door.get(page).content.decode()]
    Life.objects.create(pk=1, number=1, held_since=signin.now(), reason="restored", began_at=signin.now())

    after = [door.get(page).content.decode().count(OLD) for page in pages]

    assert before == []
    assert after == [1] * len(pages)


# ---- home, and what alarms are called


def test_home_says_what_needs_the_operator_now(filled: Any) -> None:
    from tansiq.exchange.models import Life

    Life.objects.create(pk=1, number=1, held_since=signin.now(), reason="restored", began_at=signin.now())

    ours, guests = (
        [need.url for need in desk.at_door(name).get("/").context["needs"] if need.url.startswith(PAGE)]
        for name in ("amina", "moussa")
    )

    assert ours == [PAGE, "/exchange/links/XM/", PAGE, "/exchange/waiting/?state=quarantined"]
    assert guests == []


def test_every_alarm_that_the_exchange_raises_has_words_that_its_values_fill() -> None:
    import tansiq.exchange
    from tansiq.web.exchange.words import ALARMS

    folder = Path(tansiq.exchange.__file__).parent
    files = [*sorted(folder.rglob("*.py")), folder.parent / "workers" / "exchange.py"]
    source = "\n".join(path.read_text() for path in files)
    raised = set(re.findall(r'raise_alarm\(\s*"(exchange\.\w+)"', source))
    raised |= {
        value
        for name in re.findall(r"raise_alarm\(\s*([A-Z_]+),", source)
        for value in re.findall(rf'^{name} = "(exchange\.\w+)"', source, re.MULTILINE)
    }

    assert {"exchange.clone", "exchange.urgent_full", "exchange.lost"} <= raised
    assert raised == set(ALARMS)


@pytest.mark.parametrize("role", [Role.HEAD, Role.ANALYST])
def test_navigation_leads_those_who_watch_links_there(filled: Any, role: Role) -> None:
    somebody = signin.signed_in(signin.with_app(signin.person("one@cert.example", role)))

    assert f'href="{PAGE}"' in somebody.get("/whois/").content.decode()
    assert f'href="{PAGE}"' not in desk.at_door("grace").get("/whois/").content.decode()
