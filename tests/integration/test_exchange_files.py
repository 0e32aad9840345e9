"""Files between nodes: fetched whole whatever happens, given to whom they may go, gone when nothing names them."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from factories.exchange import node_secret
from federation_files import CHUNK, FileFederation, content, is_chunk
from federation_node import Letter
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.parts import Chunk
from tansiq.exchange.requests import Answer, Ask, ChunkGiven, ChunksAsked

pytestmark = [
    pytest.mark.usefixtures("_connected"),
]

SIZE = 4 * CHUNK + 1000


@pytest.fixture
def world(tmp_path: Path) -> FileFederation:
    return FileFederation(tmp_path, "XA", "XE", "XF")


def alarms(node: Any) -> list[tuple[str, str]]:
    from tansiq.exchange.models import Alarm

    with node.at():
        return sorted(Alarm.objects.filter(ended_at=None).values_list("code", "peer"))


def with_chunk(letter: Letter, data: bytes) -> Letter:
    answer = letter.content
    assert isinstance(answer, Answer) and isinstance(answer.given, ChunkGiven)
    return replace(letter, content=replace(answer, given=replace(answer.given, data=data)))


# ---- whole


def test_file_comes_to_all_who_may_have_its_object_which_waits_for_it(world: FileFederation) -> None:
    data = content(SIZE)
    reference = world["XA"].keep(data)

    world["XA"].share("1", reference, audience="XE XF")
    world.run(rounds=8)

    assert [world[code].applied() for code in ("XE", "XF")] == [["XA:1"], ["XA:1"]]
    assert [world[code].reads(reference) == data for code in ("XE", "XF")] == [True, True]
    assert sorted(world.chunks("XA", "XE")) == [0, 1, 2, 3, 4]


def test_object_whose_kind_does_not_wait_is_applied_before_its_file(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE", kind="event")

    world.tick("XA")
    world.tick("XA")
    while world.letters:
        world.deliver()
    before = world["XE"].applied(), world["XE"].files_on_disk()
    world.run(rounds=8)

    assert before == (["XA:1"], [])
    assert world["XE"].files_on_disk() == [reference.digest]


def test_empty_file_comes(world: FileFederation) -> None:
    reference = world["XA"].keep(b"")

    world["XA"].share("1", reference, audience="XE")
    world.run(rounds=8)

    assert (world["XE"].applied(), world["XE"].reads(reference)) == (["XA:1"], b"")


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_any_order_of_letters_with_loss_and_repeats_ends_in_the_same(world: FileFederation, seed: int) -> None:
    order = random.Random(seed)
    references = [world["XA"].keep(content(SIZE, seed=number)) for number in range(2)]
    world["XA"].share("1", *references, audience="XE")
    world["XA"].share("1", references[0], audience="XE", text="second")
    world["XA"].share("2", references[1], audience="XE")

    for _ in range(150):
        for code in ("XA", "XE"):
            world.tick(code)
        for _ in range(len(world.letters)):
            index = order.randrange(len(world.letters))
            if order.random() < 0.2:
                world.letters.pop(index)
            else:
                world.deliver(index, keep=order.random() < 0.1)
        world.letters = world.letters[:40]
        world.pass_time(timedelta(seconds=7))
    world.heal()

    assert sorted(set(world["XE"].applied())) == ["XA:1", "XA:2"]
    assert world["XE"].applied().count("XA:2") == 1
    assert world["XE"].files_on_disk() == sorted({one.digest for one in references})


def test_process_that_dies_in_the_middle_asks_for_the_rest_only(world: FileFederation) -> None:
    data = content(40 * CHUNK)
    reference = world["XA"].keep(data)
    world["XA"].share("1", reference, audience="XE")
    world.bring_part("XE", 20)

    world.restart("XE")
    world.restart("XA")
    missing = [number for first, last in world["XE"].store.missing(reference) for number in range(first, last + 1)]
    left_before = len(world.chunks())
    world.run(rounds=30)

    assert len(missing) == 20
    assert sorted(world.chunks()[left_before:]) == missing
    assert (world["XE"].applied(), world["XE"].reads(reference) == data) == (["XA:1"], True)


def test_files_that_a_crash_tore_are_made_whole(world: FileFederation) -> None:
    data = content(SIZE)
    reference = world["XA"].keep(data)
    world["XA"].share("1", reference, audience="XE")
    world.bring_part("XE", 3)
    (arriving,) = [path for path in (world["XE"].store.folder / "arriving").glob("*") if path.suffix != ".seen"]

    os.truncate(arriving, CHUNK // 2)
    world.restart("XE")
    world.run(rounds=40)

    assert (world["XE"].applied(), world["XE"].reads(reference) == data) == (["XA:1"], True)


def test_file_that_was_lost_from_the_disk_is_fetched_again(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE")
    world.run(rounds=8)
    world["XE"].store.delete(reference.digest)

    with world["XE"].at(world.now) as here:
        world["XE"].files.look_over(here, world.now)
    world.run(rounds=8)

    assert world["XE"].files_on_disk() == [reference.digest]


def test_few_chunks_are_under_way_however_large_the_file(world: FileFederation) -> None:
    from tansiq.exchange.node.files import WINDOW

    reference = world["XA"].keep(content(60 * CHUNK))
    world["XA"].share("1", reference, audience="XE")
    most = 0

    for _ in range(30):
        for code in ("XA", "XE"):
            world.tick(code)
        while world.letters:
            most = max(most, sum(map(is_chunk, world.letters)))
            world.deliver()
        world.pass_time(timedelta(seconds=1))

    assert world["XE"].applied() == ["XA:1"]
    assert 2 < most <= WINDOW
    assert len(world.chunks()) == 60


def test_ask_that_is_repeated_is_the_same_body_ever_later(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE")
    world["XA"].store.delete(reference.digest)  # it has nothing to answer by

    world.run(rounds=120, step=timedelta(seconds=5))
    asks = world.asks("XE")

    assert len({ask.id for ask in asks}) == 1
    assert 5 <= len(asks) <= 9  # 5 s, doubling to 10 minutes


# ---- whoever sends what


def test_chunk_that_is_not_the_chunk_is_thrown_away_and_another_asked_for(world: FileFederation) -> None:
    data = content(SIZE)
    reference = world["XA"].keep(data)
    world["XA"].share("1", reference, audience="XE")
    spoilt = 0

    for _ in range(40):
        for code in ("XA", "XE"):
            world.tick(code)
        while world.letters:
            if is_chunk(world.letters[0]) and spoilt < 5:
                spoilt += 1
                world.letters[0] = with_chunk(world.letters[0], bytes(CHUNK + 16))
            world.deliver()
        world.pass_time(timedelta(seconds=2))

    assert spoilt == 5
    assert (world["XE"].applied(), world["XE"].reads(reference) == data) == (["XA:1"], True)


def test_chunk_that_nobody_asked_for_is_not_heeded(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE")
    world.run(rounds=1)
    world.letters.clear()
    world.restart("XE")
    asked = Ask(**head("XE", "XA"), asked=ChunksAsked(digest=reference.digest, runs=((0, 0),)))

    with world["XA"].at(world.now) as here:
        (answer,) = world["XA"].asking.answers(here, asked, world.now)
    world["XE"].receive(Letter("XA", "XE", answer), world.now)

    assert world["XE"].store.missing(reference) == ((0, 4),)


def test_chunks_of_somebody_who_has_the_key_and_another_file_are_thrown_away_with_an_alarm(
    world: FileFederation,
) -> None:
    """XF forwards: it has the key, and makes other chunks with it. XE turns to the owner's node."""
    from tansiq.exchange import blob

    data = content(SIZE)
    reference = world["XA"].keep(data)
    world["XA"].share("1", reference, audience="XE XF")
    world.cut = {("XA", "XE", way) for way in ways()}
    world.run(rounds=8)
    world["XF"].forward("XA:1", "XE")
    import io

    wrong = list(blob.encrypted(io.BytesIO(content(SIZE, seed=9)), size_bytes=SIZE, key=reference.key))
    for _ in range(60):
        for code in ("XA", "XF", "XE"):
            world.tick(code)
        while world.letters:
            letter = world.letters[0]
            if is_chunk(letter) and letter.sender == "XF":
                assert isinstance(letter.content, Answer) and isinstance(letter.content.given, ChunkGiven)
                world.letters[0] = with_chunk(letter, wrong[letter.content.given.index])
            world.deliver()
        if alarms(world["XE"]):
            world.cut.clear()
        world.pass_time(timedelta(seconds=2))

    assert alarms(world["XE"]) == [("exchange.blob_contradicts", "XF")]
    assert (world["XE"].applied(), world["XE"].reads(reference) == data) == (["XA:1"], True)


def test_forwarder_gives_what_the_owner_cannot(world: FileFederation) -> None:
    data = content(SIZE)
    reference = world["XA"].keep(data)
    world["XA"].share("1", reference, audience="XE XF")
    world.cut = {("XA", "XE", way) for way in ways()}
    world.run(rounds=8)

    world["XF"].forward("XA:1", "XE")
    world.off.add("XA")
    world.run(rounds=12)

    assert (world["XE"].applied(), world["XE"].reads(reference) == data) == (["XA:1"], True)
    assert sorted(world.chunks("XF", "XE")) == [0, 1, 2, 3, 4]


def test_silent_forwarder_does_not_keep_a_file_from_who_can_ask_the_owner(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE XF")
    world.cut = {("XA", "XE", way) for way in ways()}
    world.run(rounds=8)
    world["XF"].forward("XA:1", "XE")
    world.tick("XF")
    while world.letters:
        world.deliver()

    world.off.add("XF")
    world.cut.clear()
    world.run(rounds=60, step=timedelta(seconds=5))

    assert world["XE"].applied() == ["XA:1"]


# ---- who may have it


def test_node_that_may_not_have_the_object_gets_no_chunk_of_its_file(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE")
    world.run(rounds=8)
    asked = ChunksAsked(digest=reference.digest, runs=((0, 4),))

    for holder in ("XA", "XE"):
        with world["XF"].at(world.now) as here:
            ask = world["XF"].asking.made(here, holder, asked, world.now)
        world.post([Letter("XF", holder, ask)])
    world.run(rounds=2)

    assert (world.chunks("XA", "XF"), world.chunks("XE", "XF")) == ([], [])
    assert len(world.chunks("XA", "XE")) == 5


def test_node_that_may_not_have_it_any_more_gets_no_more_of_it(world: FileFederation) -> None:
    reference = world["XA"].keep(content(30 * CHUNK))
    world["XA"].share("1", reference, audience="XE XF")
    world.bring_part("XF", 3)

    world["XA"].share("1", reference, audience="XE", text="narrowed")
    before = len(world.chunks("XA", "XF"))
    world.run(rounds=30)

    assert len(world.chunks("XA", "XF")) == before
    assert world["XF"].files_on_disk() == []
    assert world["XE"].files_on_disk() == [reference.digest]


def test_naming_anothers_file_by_its_digest_gets_nothing_of_it(world: FileFederation) -> None:
    """XF knows the digest and not the key, and shares an object with XA that names it."""
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE")
    world.run(rounds=8)

    world["XF"].share("2", replace(reference, key=bytes(32)), audience="XA", kind="event")
    world.run(rounds=8)
    asked = ChunksAsked(digest=reference.digest, runs=((0, 4),))
    with world["XF"].at(world.now) as here:
        ask = world["XF"].asking.made(here, "XA", asked, world.now)
    world.post([Letter("XF", "XA", ask)])
    world.run(rounds=2)

    assert world["XA"].applied() == ["XF:2"]
    assert world.chunks("XA", "XF") == []


def test_held_node_gives_nothing(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE")
    world.cut = {(one, other, way) for one in ("XE", "XF") for other in ("XA",) for way in ways()}
    world["XA"].restore(world.now, 2)

    with world["XA"].at(world.now) as here:
        given = list(
            world["XA"].files.given(here, "XE", ChunksAsked(digest=reference.digest, runs=((0, 0),)), world.now)
        )

    assert given == []


# ---- gone


def test_recall_deletes_the_file_everywhere(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE XF")
    world.run(rounds=8)
    there = [world[code].files_on_disk() for code in ("XA", "XE", "XF")]

    world["XA"].withdraw("1")
    world.run(rounds=8)

    assert there == [[reference.digest]] * 3
    assert [world[code].files_on_disk() for code in ("XA", "XE", "XF")] == [[], [], []]


def test_recall_deletes_what_came_of_the_file_so_far(world: FileFederation) -> None:
    reference = world["XA"].keep(content(30 * CHUNK))
    world["XA"].share("1", reference, audience="XE")
    world.bring_part("XE", 3)
    part = len(world["XE"].files_on_disk())

    world["XA"].withdraw("1")
    world.run(rounds=10)

    assert part == 2
    assert world["XE"].files_on_disk() == []


def test_recall_leaves_a_file_that_another_object_names(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    world["XA"].share("1", reference, audience="XE")
    world["XA"].share("2", reference, audience="XE")
    world.run(rounds=8)

    world["XA"].withdraw("1")
    world.run(rounds=8)

    assert [world[code].files_on_disk() for code in ("XA", "XE")] == [[reference.digest]] * 2
    assert world["XE"].reads(reference) == content(SIZE)


def test_file_of_a_version_before_goes_once_nobody_waits_for_it(world: FileFederation) -> None:
    """XF is off while the second version is made: it gets both files, since the second version waits for the first."""
    first, second = (world["XA"].keep(content(SIZE, seed=seed)) for seed in (1, 2))
    world["XA"].share("1", first, audience="XE XF")
    world.off.add("XF")
    world.run(rounds=8)
    world["XA"].share("1", second, audience="XE XF", text="second")
    world.run(rounds=8)
    meanwhile = world["XA"].files_on_disk()
    of_xe = world["XE"].files_on_disk()

    world.off.clear()
    world.heal()
    world.run(rounds=20)

    assert (meanwhile, of_xe) == (sorted([first.digest, second.digest]), [second.digest])
    assert world["XF"].applied() == ["XA:1", "XA:1"]
    assert [world[code].files_on_disk() for code in ("XA", "XF")] == [[second.digest]] * 2


def test_file_of_what_a_person_refused_goes(world: FileFederation) -> None:
    from tansiq.exchange.reasons import Reason

    reference = world["XA"].keep(content(30 * CHUNK))
    world["XA"].share("1", reference, audience="XE")
    world.bring_part("XE", 3)
    part = len(world["XE"].files_on_disk())

    world["XE"].refuse(world.now, also=frozenset({Reason.BLOB}))
    world.run(rounds=10)

    assert part == 2
    assert world["XE"].files_on_disk() == []


def test_file_that_a_desk_keeps_stays_a_day_until_a_version_names_it(world: FileFederation) -> None:
    from datetime import UTC, datetime

    xa = world["XA"]
    reference = xa.keep(content(SIZE))

    with xa.at(world.now) as here:
        xa.files.look_over(here, datetime.now(UTC))
        after_a_moment = xa.files_on_disk()
        xa.files.look_over(here, datetime.now(UTC) + timedelta(hours=25))

    assert (after_a_moment, xa.files_on_disk()) == ([reference.digest], [])


# ---- no room


def test_full_disk_is_said_and_waited_for_while_smaller_files_come(world: FileFederation) -> None:
    large, small = world["XA"].keep(content(8 * CHUNK)), world["XA"].keep(content(CHUNK, seed=2))
    xe = world["XE"]
    xe.files.store = BlobStore(xe.store.folder, most_bytes=4 * CHUNK, least_free_bytes=0)
    world["XA"].share("1", large, audience="XE")
    world["XA"].share("2", small, audience="XE")

    world.run(rounds=20)
    while_full = xe.applied(), alarms(xe)
    xe.files.store = BlobStore(xe.store.folder, least_free_bytes=0)
    world.run(rounds=80, step=timedelta(seconds=10))

    assert while_full == (["XA:2"], [("exchange.blob_no_room", "")])
    assert sorted(xe.applied()) == ["XA:1", "XA:2"]
    assert alarms(xe) == []


# ---- a restore, and a stick


def test_owner_that_lost_its_files_in_a_restore_gets_them_back(world: FileFederation) -> None:
    reference = world["XA"].keep(content(SIZE))
    backup = world.backup("XA")
    world["XA"].share("1", reference, audience="XE")
    world.run(rounds=8)

    world["XA"].store.delete(reference.digest)
    world.restore("XA", backup)
    world.restart("XA")
    world.run(rounds=80, step=timedelta(seconds=10))

    assert world["XA"].files_on_disk() == [reference.digest]
    assert world["XA"].reads(reference) == content(SIZE)


def exported(world: FileFederation, code: str, peer: str) -> list[Any]:
    """The parts of a file for a stick."""
    return exporting(world, code, peer)[0]


def exporting(world: FileFederation, code: str, peer: str) -> tuple[list[Any], Any]:
    """The same, and what the file is said to hold."""
    from tansiq.exchange.node.exporting import Exporting

    node = world[code]
    with node.at(world.now) as here:
        here = replace(here, secrets=(node_secret(code),), certificates={peer: node_secret(peer).certificate})
        given = Exporting(here, [peer], store=node.store, worker="stick", now=world.now)
        return list(given.parts()), given.exported


def chunks_of(parts: list[Any]) -> list[tuple[str, int]]:
    return [(part.digest, part.index) for part in parts if isinstance(part, Chunk)]


def test_stick_has_the_files_that_its_node_may_have_and_waits_for(world: FileFederation) -> None:
    from tansiq.exchange.node.importing import Importing

    for_xe, for_xf = world["XA"].keep(content(SIZE)), world["XA"].keep(content(CHUNK, seed=2))
    world["XA"].share("1", for_xe, audience="XE")
    world["XA"].share("2", for_xf, audience="XF")
    xe = world["XE"]

    world.tick("XA")
    world.letters = [letter for letter in world.letters if not isinstance(letter.content, Answer)]
    while world.letters:
        world.deliver()
    carried = exported(world, "XA", "XE")
    with xe.at(world.now) as here, Importing(lambda: here, store=xe.store, clock=lambda: world.now) as importing:
        importing.take([part for part in carried if isinstance(part, Chunk)])
    world.run(rounds=3)
    again = exported(world, "XA", "XE")

    assert chunks_of(carried) == [(for_xe.digest, index) for index in range(5)]
    assert (xe.applied(), xe.reads(for_xe)) == (["XA:1"], content(SIZE))
    assert (world.chunks("XA", "XE"), chunks_of(again)) == ([], [])


def test_stick_gets_nothing_that_was_narrowed_while_it_was_written(
    world: FileFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tansiq.exchange.models import Sent
    from tansiq.exchange.node import exporting

    monkeypatch.setattr(exporting, "DECIDED_AT_ONCE", 1)
    references = [world["XA"].keep(content(1, seed=seed)) for seed in range(3)]
    for number, reference in enumerate(references):
        world["XA"].share(str(number), reference, audience="XE")
    node, narrowed, chunks = world["XA"], {1: "0", 2: "2"}, []
    with node.at(world.now) as here:
        here = replace(here, secrets=(node_secret("XA"),), certificates={"XE": node_secret("XE").certificate})
        given = exporting.Exporting(here, ["XE"], store=node.store, worker="stick", now=world.now)
        for part in given.parts():
            if isinstance(part, Chunk):
                chunks.append(part.digest)
            elif name := narrowed.pop(given.exported.bodies["XE"], ""):
                node.share(name, references[int(name)], audience="XF")
        carried = Sent.objects.filter(channel__peer="XE", statement__kind="case.note").values_list("statement__object")

        assert list(carried) == [("XA:1",)]  # what was given of 2 is a skip
    assert chunks == [references[1].digest]


def test_stick_from_a_node_that_lacks_a_part_of_a_file_is_not_called_whole(world: FileFederation) -> None:
    whole, torn = world["XA"].keep(content(SIZE)), world["XA"].keep(content(SIZE, seed=2))
    world["XA"].share("1", whole, audience="XE")
    _parts, before = exporting(world, "XA", "XE")

    world["XA"].share("2", torn, audience="XE")
    world["XA"].store.delete(torn.digest)
    parts, after = exporting(world, "XA", "XE")

    assert (before.bodies["XE"], before.blobs_left, before.is_whole) == (1, 0, True)
    assert (after.bodies["XE"], after.blobs_left, after.is_whole) == (2, 1, False)
    assert {digest for digest, _index in chunks_of(parts)} == {whole.digest}


def test_stick_without_what_another_process_has_to_seal_is_not_called_whole(world: FileFederation) -> None:
    from tansiq.exchange.models import OutChannel

    world["XA"].share("1", world["XA"].keep(content(1)), audience="XE")
    exporting(world, "XA", "XE")
    world["XA"].share("2", world["XA"].keep(content(2)), audience="XE")
    with world["XA"].at(world.now):
        OutChannel.objects.update(sealer="another", sealer_until=world.now + timedelta(seconds=8))

    _parts, now = exporting(world, "XA", "XE")
    world.pass_time(timedelta(seconds=9))
    _parts, later = exporting(world, "XA", "XE")

    assert (now.bodies["XE"], now.left["XE"], now.is_full, now.is_whole) == (1, 1, False, False)
    assert (later.bodies["XE"], later.left["XE"], later.is_whole) == (2, 0, True)


def ways() -> list[Any]:
    from tansiq.exchange.sending import Way

    return list(Way)


def head(sender: str, recipient: str) -> dict[str, Any]:
    from federation import BEGINNING
    from tansiq.exchange.values import new_id

    return {
        "id": new_id(BEGINNING),
        "realm": "live",
        "sender": sender,
        "recipient": recipient,
        "epoch": 1,
        "sent_at": BEGINNING,
    }
