from __future__ import annotations

import pytest

from releaser.core.step import Done, Outcome, Phase, Skipped, Step, Todo, in_order, part_of, together
from releaser.errors import ReleaserError


class Given(Step[dict[str, str]]):
    name = "given"
    title = "It is given"

    def check(self, world: dict[str, str]) -> Outcome:
        return Done(world["it"]) if "it" in world else Todo("have it given")


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_skip_without_a_reason_cannot_be_built(reason: str) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        Skipped(reason)


def test_a_fact_that_no_program_can_establish_says_so() -> None:
    with pytest.raises(ReleaserError, match="It is given: this cannot be established by a program"):
        Given().run({})


def test_unless_a_step_says_otherwise_verifying_is_checking_again() -> None:
    assert Given().verify({}) == Todo("have it given")
    assert Given().verify({"it": "here"}) == Done("here")


def test_steps_in_order_are_one_branch_and_steps_together_are_many() -> None:
    a, b, c = Given(), Given(), Given()

    assert in_order(a, b, c) == ((a, b, c),)
    assert together(a, (b, c)) == ((a,), (b, c))


def test_a_phase_lists_its_steps_branch_by_branch() -> None:
    a, b, c = Given(), Given(), Given()

    assert Phase("p", "", together((a, b), c)).steps == (a, b, c)


class Named(Given):
    def __init__(self, name: str) -> None:
        self.name, self.title = name, f"{name} is given"


def test_a_part_of_a_plan_has_the_steps_and_phases_that_are_named_in_the_order_of_the_plan() -> None:
    a, b, c, d, e = map(Named, "abcde")
    plan = (
        Phase("one", "all of one", together((a, b), c), ask="Go on?"),
        Phase("two", "all of two", in_order(d)),
        Phase("three", "all of three", in_order(e)),
    )

    first, second = part_of(plan, "d", "c", "b")
    (whole,) = part_of(plan, "one")

    assert (first.name, first.branches) == ("one", ((b,), (c,)))
    assert first.title == "b is given; c is given"
    assert (second.name, second.title, second.branches) == ("two", "all of two", ((d,),))
    assert (whole.title, whole.branches) == ("all of one", plan[0].branches)
    assert part_of(plan, "nothing") == ()
    assert [phase.ask for phase in (first, second, whole)] == [None, None, None]
