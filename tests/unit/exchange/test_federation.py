"""Said by name: what the promises mean in the cases that an operator will meet. Three nodes in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from federation import Federation
from federation_node import POISON
from tansiq.exchange.body import Lane, State, Version
from tansiq.exchange.channel import Limit
from tansiq.exchange.sending import Way

EVERYBODY = ("XA", "XE", "XF")


def text_at(world: Federation, code: str, identifier: str) -> str | None:
    live = world[code].objects.get(identifier)
    return live.fact.text if live else None


def test_node_off_for_a_month_catches_up_and_costs_little_meanwhile() -> None:
    world = Federation(*EVERYBODY)
    world.off.add("XF")
    for number in range(200):
        world["XA"].publish(str(number), audience=EVERYBODY, text=f"fact {number}")
    world.run(rounds=30 * 24, step=timedelta(hours=1))
    letters = [letter for _epoch, letter in world.emitted if letter.recipient == "XF"]
    world.off.clear()
    world.run(rounds=10)

    assert all(text_at(world, "XF", f"XA:{number}") == f"fact {number}" for number in range(200))
    by_jetstream = [letter for letter in letters if letter.way is Way.JETSTREAM]
    assert len(by_jetstream) <= 200 + 30 * 24


def test_idle_link_says_nothing_whatever_the_base() -> None:
    world = Federation(*EVERYBODY)
    for number in range(100):
        world["XA"].publish(str(number), audience=EVERYBODY, text="fact")
    world.run(rounds=20)
    before = world.traffic.letters
    world.run(rounds=24 * 60, step=timedelta(minutes=1))

    assert world.traffic.letters == before


def test_full_bulk_lane_delays_no_alert() -> None:
    limits = {lane: Limit(10, 10**9) for lane in Lane}
    world = Federation(*EVERYBODY, limits=limits)
    world.off.add("XF")
    for number in range(50):
        world["XA"].publish(f"b{number}", audience=EVERYBODY, text="event", kind="event")
    world.run(rounds=5)
    world.off.clear()
    world["XA"].publish("alert", audience=EVERYBODY, text="look", kind="alert")
    world.run(rounds=1)

    assert text_at(world, "XF", "XA:alert") == "look"
    assert "XF" in world["XA"].incomplete
    world.heal()
    assert all(text_at(world, "XF", f"XA:b{number}") == "event" for number in range(50))


def test_poisoned_object_holds_back_itself_only_until_a_person_refuses_it() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("bad", audience=EVERYBODY, text=POISON)
    world["XA"].publish("bad", audience=EVERYBODY, text="mended")
    world["XA"].publish("good", audience=EVERYBODY, text="good")
    world["XA"].publish("alert", audience=EVERYBODY, text="alert", kind="alert")
    world.run(rounds=3)

    assert (text_at(world, "XE", "XA:bad"), text_at(world, "XE", "XA:good")) == (None, "good")
    assert text_at(world, "XE", "XA:alert") == "alert"
    world["XE"].refuse(world.now)
    assert text_at(world, "XE", "XA:bad") == "mended"
    world.run(rounds=3)
    said = world["XA"].outs["XE", Lane.NORMAL].states["XA:bad"]
    assert (said.version, said.state) == (Version(1, 2), State.STORED)


def test_object_that_waits_for_one_published_later_is_applied_then() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="first", needs="XE:9")
    world.run(rounds=3)
    between = text_at(world, "XE", "XA:1")
    world["XE"].publish("9", audience=["XF"], text="own")
    world.run(rounds=3)

    assert between is None
    assert (text_at(world, "XE", "XA:1"), text_at(world, "XF", "XA:1")) == ("first", "first")


def test_object_that_waits_for_one_that_a_restore_lost_is_applied_when_it_is_back() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="first", needs="XE:9")
    world.run(rounds=3)
    backup = world.backup("XE")
    world["XE"].publish("9", audience=EVERYBODY, text="own")
    world.run(rounds=3)
    world.restore("XE", backup)
    lost = text_at(world, "XE", "XA:1")
    world.run(rounds=10)

    assert lost is None
    assert (text_at(world, "XE", "XE:9"), text_at(world, "XE", "XA:1")) == ("own", "first")


def test_mail_carries_what_the_backbone_does_not() -> None:
    world = Federation(*EVERYBODY)
    world.cut |= {("XA", "XE", Way.JETSTREAM)}
    world["XA"].publish("alert", audience=EVERYBODY, text="look", kind="alert")
    world.run(rounds=59)
    assert text_at(world, "XE", "XA:alert") is None
    world.run(rounds=3)

    assert text_at(world, "XE", "XA:alert") == "look"


def test_restored_node_recovers_its_own_facts_and_resurrects_nothing() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="first")
    world["XE"].publish("2", audience=EVERYBODY, text="for a while")
    world.run(rounds=3)
    backup = world.backup("XA")
    world["XA"].publish("1", audience=["XF"], text="second")
    world["XA"].publish("3", audience=EVERYBODY, text="later")
    world["XE"].publish("2", audience=["XF"], text="narrowed")
    world.run(rounds=5)
    world.restore("XA", backup)
    held = world["XA"].tick(world.now)
    world.post(held)
    world.run(rounds=10)

    assert {type(letter.content).__name__ for letter in held} == {"Request"}
    assert world["XA"].held is None
    assert (text_at(world, "XA", "XA:1"), text_at(world, "XA", "XA:3")) == ("second", "later")
    assert text_at(world, "XA", "XE:2") is None
    assert text_at(world, "XE", "XA:1") is None
    changed = world["XA"].publish("1", audience=EVERYBODY, text="third")
    assert changed.version == Version(2, 1)
    world.heal()
    assert text_at(world, "XE", "XA:1") == "third"


def test_clone_that_speaks_beside_its_original_freezes_the_channel_with_evidence() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="before")
    world.run(rounds=3)
    clone = world.backup("XA")
    world["XA"].publish("2", audience=EVERYBODY, text="said by the one")
    world.run(rounds=3)
    world.crash("XA", clone)
    world["XA"].publish("2", audience=EVERYBODY, text="said by the other")
    world.run(rounds=3)

    assert len(world["XE"].evidence) == 1
    assert text_at(world, "XE", "XA:2") == "said by the one"
    letters = [letter for letter in world["XE"].tick(world.now) if letter.recipient == "XA"]
    assert all(type(letter.content).__name__ == "Receipt" for letter in letters)


def test_clock_that_is_a_day_slow_parks_and_heals() -> None:
    world = Federation(*EVERYBODY)
    world.offsets["XE"] = -timedelta(days=1)
    for number in range(5):
        world["XA"].publish(str(number), audience=EVERYBODY, text="fact")
    world.run(rounds=5)
    assert world["XE"].objects == {}
    world.offsets["XE"] = timedelta(0)
    world.run(rounds=2)

    assert len(world["XE"].objects) == 5


def test_removed_member_deletes_what_is_recalled_and_a_returning_one_gets_it_again() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="fact")
    world.run(rounds=3)
    world.set_roster(frozenset({"XA", "XE"}))
    for code in EVERYBODY:
        world.announce(code)
    world.run(rounds=5)
    world["XA"].publish("2", audience=EVERYBODY, text="said meanwhile")
    world.run(rounds=5)
    removed = dict(world["XF"].objects)
    world.set_roster(frozenset(EVERYBODY))
    for code in EVERYBODY:
        world.announce(code)
    world.heal()

    assert text_at(world, "XE", "XA:1") == "fact"
    assert removed == {}
    assert text_at(world, "XF", "XA:1") == "fact"


def test_recall_goes_on_to_whom_a_forwarder_sent_it() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="fact")
    world.cut |= {("XA", "XF", way) for way in Way}
    world.run(rounds=3)
    world["XE"].forward("XA:1", "XF")
    world.run(rounds=3)
    assert text_at(world, "XF", "XA:1") == "fact"
    world["XA"].publish("1", audience=["XE"], text="narrower")
    world.run(rounds=3)

    assert text_at(world, "XF", "XA:1") is None


def test_gap_that_never_closes_holds_no_more_than_its_limit() -> None:
    world = Federation("XA", "XE", limits={lane: Limit(5, 10**9) for lane in Lane}, window=100)
    sender = world["XA"]
    sender.limits = {lane: Limit(1000, 10**9) for lane in Lane}
    for number in range(50):
        sender.publish(str(number), audience=["XE"], text="fact")
    letters = sender.tick(world.now)
    for letter in letters[1:]:
        world["XE"].receive(replace(letter), world.now)

    assert sum(1 for _stored in world["XE"]._stored()) == 5
    world.run(rounds=300)
    assert len(world["XE"].objects) == 50


def test_recall_of_a_refused_version_leaves_nothing_to_repair() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="fact", needs="XA:never")
    world.heal()
    assert ("XA:1", Version(1, 1)) in world["XF"].refused
    world["XA"].publish("1", audience=["XE"], text="narrower")
    backup = world.backup("XF")
    world.restore("XF", backup)
    world.heal()

    assert world.compare("XA", "XF") == []


def test_fact_of_a_former_life_that_comes_after_the_recovery_is_asked_back() -> None:
    world = Federation(*EVERYBODY)
    world.offsets["XE"] = -timedelta(days=1)
    backup = world.backup("XA")
    world["XA"].publish("1", audience=["XE"], text="said before the disk was lost")
    world.run(rounds=1)
    world.restore("XA", backup)
    world.run(rounds=2)
    world["XA"].publish("2", audience=["XE"], text="said since")
    world.run(rounds=2)
    assert (world["XA"].held, text_at(world, "XA", "XA:1")) == (None, None)
    world.heal()

    assert text_at(world, "XA", "XA:1") == text_at(world, "XE", "XA:1") == "said before the disk was lost"


def test_narrowing_of_a_former_life_that_comes_after_the_recovery_is_kept_to() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=["XE"], text="fact")
    world.run(rounds=3)
    backup = world.backup("XA")
    world.offsets["XE"] = -timedelta(days=1)
    world["XA"].publish("1", audience=["XF"], text="no longer for XE")
    world.cut |= {("XA", "XF", way) for way in Way}
    world.run(rounds=1)
    world.restore("XA", backup)
    world.run(rounds=2)
    world.heal()

    assert text_at(world, "XE", "XA:1") is None
    assert world["XA"].objects["XA:1"].fact.audience == frozenset()


def test_version_above_a_gap_that_a_restored_sender_left_is_sent_anew() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=["XE"], text="first")
    world["XA"].publish("1", audience=["XE"], text="second")
    lost, second = world["XA"].tick(world.now)
    backup = world.backup("XA")
    world["XE"].receive(second, world.now)
    assert (lost.recipient, text_at(world, "XE", "XA:1")) == ("XE", None)
    world.restore("XA", backup)
    world.heal()

    assert text_at(world, "XE", "XA:1") == "second"


def test_version_sent_again_on_return_outlives_the_recall_of_before() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="fact")
    world.tick("XA")
    world.set_roster(frozenset({"XA", "XE"}))
    world.announce("XA")
    world.set_roster(frozenset(EVERYBODY))
    world.heal()

    assert text_at(world, "XF", "XA:1") == "fact"


def test_member_that_returns_after_a_restore_gives_back_what_it_has() -> None:
    world = Federation(*EVERYBODY)
    backup = world.backup("XA")
    world["XA"].publish("1", audience=["XE"], text="fact")
    world.run(rounds=3)
    world.set_roster(frozenset({"XA", "XF"}))
    world.restore("XA", backup)
    world.heal()
    assert text_at(world, "XA", "XA:1") is None
    world.set_roster(frozenset(EVERYBODY))
    world.heal()

    assert text_at(world, "XA", "XA:1") == "fact"


def test_node_restored_to_before_a_member_was_there_gets_its_facts_again() -> None:
    world = Federation(*EVERYBODY)
    world.set_roster(frozenset({"XE", "XF"}))
    world.announce("XF")
    backup = world.backup("XF")
    world["XA"].publish("1", audience=EVERYBODY, text="fact")
    world.set_roster(frozenset(EVERYBODY))
    world.heal()
    world.restore("XF", backup)
    world.run(rounds=2)
    world.heal()

    assert text_at(world, "XF", "XA:1") == "fact"


def test_narrowing_that_a_forwarder_cannot_apply_is_passed_on_all_the_same() -> None:
    world = Federation(*EVERYBODY)
    world.cut |= {("XA", "XF", way) for way in Way}
    world["XA"].publish("1", audience=EVERYBODY, text="fact")
    world.run(rounds=3)
    world["XE"].forward("XA:1", "XF")
    world.run(rounds=3)
    assert text_at(world, "XF", "XA:1") == "fact"
    world["XA"].publish("1", audience=["XE"], text="narrower", needs="XA:never")
    world.run(rounds=3)

    assert text_at(world, "XE", "XA:1") == "fact"
    assert text_at(world, "XF", "XA:1") is None


def test_object_whose_narrowing_is_lost_comes_back_to_its_origin_alone() -> None:
    world = Federation(*EVERYBODY)
    backup = world.backup("XA")
    world["XA"].publish("1", audience=EVERYBODY, text="fact")
    world.run(rounds=3)
    world["XA"].publish("1", audience=["XE"], text="narrower")
    world.cut |= {("XA", "XE", way) for way in Way}
    world.run(rounds=2)
    world.restore("XA", backup)
    world.heal()

    assert text_at(world, "XA", "XA:1") == "fact"
    assert (text_at(world, "XE", "XA:1"), text_at(world, "XF", "XA:1")) == (None, None)
    assert world["XA"].objects["XA:1"].fact.audience == frozenset()


def test_fact_that_a_lost_life_sent_is_recalled_when_it_is_narrowed() -> None:
    world = Federation(*EVERYBODY)
    world["XA"].publish("1", audience=EVERYBODY, text="fact")
    backup = world.backup("XA")
    world.offsets["XE"] = -timedelta(hours=1)
    world.off.add("XF")
    world.run(rounds=2)
    world.restore("XA", backup)
    world.run(rounds=2)
    world.heal()
    assert text_at(world, "XE", "XA:1") == "fact"
    world["XA"].publish("1", audience=["XF"], text="narrower")
    world.heal()

    assert text_at(world, "XE", "XA:1") is None
