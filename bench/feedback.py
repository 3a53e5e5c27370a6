"""What is learned of the votes of many simulated voters, through the real store, the real trials and the real search.

    python -m bench.feedback [--voters 500] [--rounds 20] [--seed 1]

Simulated are the people and the model; votes, turns, documents, searches, proposals, trials and changes are the
product's own, in a database of its own. Each voter has tastes (answers shorter, longer or as usual; asking back;
sources; the web left alone) and asks questions of a document in which keywords mislead. A round is five turns of each
voter: a question about the document, whose answer cites what the real search finds first at the weight in force for
that voter, an essay, an unclear question, a fact and a question for the web, answered as the changes in force say.

70 % of the voters are honest: they vote on four of five turns, down with the reason that fits, and slip once in
twenty. Half of the others are hostile: they vote on every turn the other way round, with a reason that misleads. The
rest vote at random. After each round, changes of each voter's own and changes for all are learned. Where a habit can be
measured, the simulated model answers turns again, and does as the habit says in `OBEYS` of its answers.

Printed for each round is the share of turns that suit their voter by tastes that only the simulation knows: exact, not
sampled from votes. Exits with 1 when a point of the curve lies below the baseline, the last one is less than 3 points
above it, or taking everything back does not restore byte for byte what was in force before, and what a search returns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bench.retrieval import add_document, embed_all
from bench.sessions import Nothing
from domain.owner import Owner
from settings import Settings
from stores.conversations.conversations import Conversations
from stores.conversations.entries import Entry, Part, Wish
from stores.feedback.changes import ALL, Changes
from stores.feedback.learning import Learner
from stores.feedback.trial import SHOWS, Replayed, StoredTurn
from stores.feedback.votes import REASONS, Reason, Votes
from stores.library.documents import Documents
from stores.redis.old_transcripts import OldTranscripts
from stores.sql.database import Database
from tests.library import BagEmbedder
from turn.replay import MOST_TURNS

BAR_POINTS = 3.0
OBEYS = 0.85
"""Share of answers in which the simulated model does what a habit asks of it."""
KINDS = ("passage", "essay", "vague", "fact", "tool")
LENGTHS = ("shorter", "usual", "longer")
AGAIN = {"shorter": ("x" * 600, "x" * 250), "longer": ("x" * 600, "x" * 1500), "first": ("So it is.", "Which one?")}
"""An answer that is made again, without a habit and with it."""
CHARS = {"shorter": 250, "usual": 600, "longer": 1500}
TOPICS = (("wolf", "lamp"), ("boat", "tax"), ("rain", "door"), ("moon", "salt"), ("star", "mill"))
"""Of each: a page that speaks of the first word alone, which is the right one, and a long one with both words in
passing, which keywords like better: at the default weight it is found first."""


@dataclass(frozen=True)
class Voter:
    """Somebody who votes: how, and what suits them."""

    id: str
    manner: str
    length: str
    asking: bool
    sources: bool
    no_web: bool
    lie: Reason

    def suits(self, kind: str, in_force: dict[str, str]) -> bool:
        """Tell whether a turn of a kind suits them; not for `passage`."""
        if kind == "essay":
            return in_force.get("length", "usual") == self.length
        if kind == "vague":
            return ("ask_back" in in_force) == self.asking
        if kind == "fact":
            return "note:sources" in in_force or not self.sources
        return ("tool:web_search" in in_force) == self.no_web

    def complaint(self, kind: str, in_force: dict[str, str]) -> Reason:
        """Return the reason that fits a turn that does not suit."""
        if kind == "essay":
            longer = LENGTHS.index(in_force.get("length", "usual")) > LENGTHS.index(self.length)
            return "too_long" if longer else "too_short"
        if kind == "vague":
            return "ask_back" if self.asking else "tone"
        if kind == "tool":
            return "wrong_tool" if self.no_web else "wrong"
        return "no_source" if kind == "fact" else "wrong"

    def misleading(self, kind: str) -> Reason:
        """Return what a hostile voter says of a turn that suits."""
        lies: dict[str, Reason] = {"essay": self.lie, "vague": "ask_back", "fact": "no_source", "tool": "wrong_tool"}
        return lies.get(kind, "wrong")


def voters(count: int, dice: random.Random) -> list[Voter]:
    """Make voters: 70 % honest, 15 % hostile, 15 % random."""
    manners = [("honest", "hostile", "random")[(n % 20 >= 14) + (n % 20 >= 17)] for n in range(count)]
    return [
        Voter(f"v{n:04}", manner, dice.choices(LENGTHS, (35, 50, 15))[0], dice.random() < 0.4, dice.random() < 0.3,
              dice.random() < 0.25, dice.choice(("too_long", "too_short")))
        for n, manner in enumerate(manners)
    ]  # fmt: skip


def pages() -> list[str]:
    """Return the pages of the document: four of each topic, the first of them its short one, and some of neither."""
    made = []
    for first, second in TOPICS:
        noise = " ".join(f"{first}{n}x" for n in range(30))
        made += [f"{first} {first} {first}", f"The {first} had a {second} {noise}", f"{first} lupus{second}",
                 f"{second} on some table there"]  # fmt: skip
    return [*made, *(f"nothing{n} of any{n} kind" for n in range(24))]


def right_page(topic: int) -> int:
    """Return the number of the page that answers the question of a topic."""
    return 4 * topic + 1


class World:
    """The product, and those who use it."""

    def __init__(self, database: Database, documents: Documents, changes: Changes, people: list[Voter]) -> None:
        self._database, self._documents, self.changes, self.people = database, documents, changes, people
        self._conversations = Conversations(database, cast(OldTranscripts, Nothing()))
        self._votes, self.learner = Votes(database), Learner(database, changes, documents)
        self._ids: dict[str, str] = {}
        self._firsts: dict[tuple[float, int], int] = {}
        self._model = random.Random(len(people))

    async def give_documents(self, embedder: BagEmbedder) -> None:
        """Give each voter the document; it is read once."""
        random.seed(0)
        first = Owner(self.people[0].id, None)
        self._ids[first.user_id] = await add_document(self._documents, first, "pages", pages(), 160)
        await embed_all(self._documents, embedder)
        ref = (await self._documents.attachments.all_of(first.user_id))[0]
        data = self._documents.attachments.path(ref["sha256"]).read_bytes()
        for person in self.people[1:]:
            own = await self._documents.attachments.put(data, name="pages", owner=Owner(person.id, None))
            await self._documents.contents.open(own, key=own["sha256"], origin="document", language="en")
            self._ids[person.id] = own["id"]

    async def first_page(self, person: Voter, topic: int) -> int:
        """Return the page that a search finds first for a voter: looked up once for each weight, for all have it."""
        lean = await self.changes.lean(person.id)
        if (lean, topic) not in self._firsts:
            hits = await self._documents.search(" ".join(TOPICS[topic]), Owner(person.id, None), top_k=1)
            self._firsts[lean, topic] = hits[0]["page"]
        return self._firsts[lean, topic]

    async def quality(self, *manners: str) -> float:
        """Return the share of turns that suit the voters of these manners, in percent."""
        shares = []
        for person in self.people:
            if person.manner in manners:
                in_force = await self.changes.in_force(person.id)
                right = [await self.first_page(person, topic) == right_page(topic) for topic in range(len(TOPICS))]
                suits = [person.suits(kind, in_force) for kind in KINDS[1:]]
                shares.append((sum(right) / len(right) + sum(suits)) / len(KINDS))
        return 100 * sum(shares) / len(shares)

    async def round(self, person: Voter, dice: random.Random) -> None:
        """Let a voter have one turn of each kind, vote, and learn of it."""
        owner, in_force = Owner(person.id, "t"), await self.changes.in_force(person.id)
        topic = dice.randrange(len(TOPICS))
        page = await self.first_page(person, topic)
        entries: list[Entry] = []
        for kind in KINDS:
            question = (
                " ".join(TOPICS[topic]) if kind == "passage" else f"{kind} " + "please " * (3 + 5 * (kind != "vague"))
            )
            chars = CHARS[in_force.get("length", "usual")] if kind == "essay" else 100
            cited = (
                []
                if kind == "fact" and "note:sources" not in in_force
                else [{"document_id": self._ids[person.id], "page": page if kind == "passage" else 20}]
            )
            tools = [{"name": "web_search"}] if kind == "tool" and "tool:web_search" not in in_force else []
            entries.append({"role": "user", "text": question})
            entries.append({"role": "assistant", "text": "x" * chars, "citations": cited, "tools": tools})
        await self._conversations.append(owner, await self._conversations.spot(owner, Wish()), entries)
        written = await self._conversations.page(owner, Part(limit=len(entries), newest=True))
        for kind, entry in zip(KINDS, written["entries"][1::2], strict=True):
            right = page == right_page(topic) if kind == "passage" else person.suits(kind, in_force)
            if (vote := _vote(person, kind, right, in_force, dice)) is not None:
                up, reasons = vote
                await self._votes.put(owner, entry["message_id"], "up" if up else "down", reasons=reasons, consent=True)
        await self.learner.learn(person.id, self.replay)

    async def replay(self, turns: Sequence[StoredTurn], slot: str, value: str) -> Replayed | None:
        """Answer turns again, with a habit and without, as `turn.replay.replayed` does with a hosted model."""
        if (slot, value) not in SHOWS:
            return None
        without, with_it = AGAIN[value]
        answers = [with_it if self._model.random() < OBEYS else without for _ in turns[-MOST_TURNS:]]
        return Replayed(len(answers), sum(SHOWS[slot, value](without, answer) for answer in answers))

    async def state(self) -> bytes:
        """Return what is in force for everybody, and what a search returns for somebody, as bytes."""
        in_force = [await self.changes.in_force(person.id) for person in self.people]
        found = [await self._documents.search(" ".join(topic), Owner(self.people[0].id, None)) for topic in TOPICS]
        return json.dumps([in_force, found]).encode()

    async def take_back(self) -> int:
        """Take every change that is in force back; return how many there were."""
        count = 0
        for user_id in (ALL, *(person.id for person in self.people)):
            for change in await self.changes.of(user_id):
                if change.state == "applied":
                    await self.changes.roll_back(user_id, change.id)
                    count += 1
        return count


def _vote(
    person: Voter, kind: str, right: bool, in_force: dict[str, str], dice: random.Random
) -> tuple[bool, list[Reason]] | None:
    """Return whether a voter votes up, and the reasons; None where they do not vote."""
    if person.manner == "random":
        return dice.random() < 0.5, [dice.choice(REASONS)]
    if person.manner == "hostile":
        return not right, [person.misleading(kind)] if right else []
    if dice.random() < 0.2:
        return None
    up = right != (dice.random() < 0.05)
    return up, [] if up else [person.complaint(kind, in_force)]


async def run(count: int, rounds: int, seed: int) -> bool:
    """Print the curve and the checks; return whether all of them hold."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        settings, embedder = Settings(data_dir=Path(temporary), _env_file=None), BagEmbedder()
        database = await Database.open(settings)
        changes = Changes(database)
        documents = await Documents.open(settings, database, embedder, lean_of=changes.lean)
        world = World(database, documents, changes, voters(count, dice))
        await world.give_documents(embedder)
        print(f"{count} voters: {dict(Counter(person.manner for person in world.people))}; seed {seed}")
        before, started = await world.state(), time.perf_counter()
        curve = [(await world.quality("honest", "hostile", "random"), await world.quality("honest"))]
        print(f"round  all voters  honest   (baseline {curve[0][0]:.1f}, {curve[0][1]:.1f})")
        for number in range(1, rounds + 1):
            for person in world.people:
                await world.round(person, dice)
            for change in await world.learner.learn(ALL, world.replay):
                print(f"       for all: {change.slot} {change.value} {change.state} {change.figures}")
            curve.append((await world.quality("honest", "hostile", "random"), await world.quality("honest")))
            print(
                f"{number:5}  {curve[-1][0]:10.1f}  {curve[-1][1]:6.1f}   {time.perf_counter() - started:6.0f} s",
                flush=True,
            )
        await _print_changes(world)
        taken = await world.take_back()
        restored = await world.state() == before
        print(f"{taken} changes taken back; restored byte for byte: {'yes' if restored else 'NO'}")
        lowest, gain = min(point[0] - curve[0][0] for point in curve), curve[-1][0] - curve[0][0]
        print(f"lowest point {lowest:+.1f} against the baseline (bar 0), end {gain:+.1f} (bar {BAR_POINTS:+.1f})")
        await documents.aclose()
        await database.aclose()
    return restored and lowest >= 0 and gain >= BAR_POINTS


async def _print_changes(world: World) -> None:
    """Print how many changes of voters' own were applied, and how many were not good enough, by manner."""
    counts: Counter[tuple[str, Any]] = Counter()
    for person in world.people:
        counts.update((person.manner, change.state) for change in await world.changes.of(person.id))
    for (manner, state), number in sorted(counts.items()):
        print(f"       own changes of {manner} voters {state}: {number}")


def main() -> None:
    """Run the simulation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--voters", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(0 if asyncio.run(run(asked.voters, asked.rounds, asked.seed)) else 1)


if __name__ == "__main__":
    main()
