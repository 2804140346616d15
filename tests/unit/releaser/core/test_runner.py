from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releaser.core.activity import current
from releaser.core.runner import Runner
from releaser.core.step import (
    Conflict,
    Done,
    Failed,
    Outcome,
    Phase,
    Plan,
    Skipped,
    Step,
    Todo,
    Warned,
    in_order,
    together,
)
from releaser.errors import (
    ChangelogError,
    CommandError,
    ConfigError,
    ConflictError,
    InterruptedRunError,
    NotConfirmedError,
    PublishedError,
    ReleaserError,
    ServiceError,
    StepError,
    ToleratedError,
    UsageError,
    VersionError,
    WaitTimeoutError,
)

PATIENCE_S = 60.0


@dataclass
class World:
    """Facts that hold, and in which order which of them were made and asked for."""

    facts: set[str] = field(default_factory=set)
    made: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class Fact(Step[World]):
    """One fact of the world; `doing` happens when it is made true, before it is."""

    def __init__(self, name: str, doing: Callable[[World], None] = lambda _: None) -> None:
        self.name = name
        self.title = f"{name} holds"
        self.doing = doing

    def check(self, world: World) -> Outcome:
        world.asked.append(self.name)
        return Done(f"{self.name} is there") if self.name in world.facts else Todo(f"make {self.name}")

    def run(self, world: World) -> None:
        self.doing(world)
        world.facts.add(self.name)
        world.made.append(self.name)


class Unless(Fact):
    """A fact that another one contradicts."""

    def __init__(self, name: str, other: str) -> None:
        super().__init__(name)
        self.other = other

    def check(self, world: World) -> Outcome:
        if self.other in world.facts:
            return Conflict(f"{self.other} is in the way.", f"Remove {self.other}.")
        return super().check(world)


class Unanswered(Fact):
    """A fact that the world cannot be asked for."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(name)
        self.error = error

    def check(self, _world: World) -> Outcome:
        raise self.error


def failing(error: BaseException) -> Callable[[World], None]:
    def fail(world: World) -> None:
        raise error

    return fail


class Asking(Fact):
    """A fact that a service is asked for, which minds being asked."""

    def check(self, world: World) -> Outcome:
        current().answers.once("the service", lambda: world.asked.append("the service"))
        return super().check(world)


class Heard:
    """An observer that keeps everything."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []

    def phase(self, name: str, _title: str) -> None:
        self.events.append(("phase", name))

    def started(self, step: str, _title: str) -> None:
        self.events.append(("started", step))

    def noted(self, step: str, text: str) -> None:
        self.events.append(("noted", step, text))

    def progress(self, step: str, text: str, *counted: int | None) -> None:
        self.events.append(("progress", step, text, *(str(one) for one in counted if one is not None)))

    def finished(self, step: str, _title: str, outcome: Outcome, seconds: float) -> None:
        assert seconds >= 0
        self.events.append(("finished", step, type(outcome).__name__))


def one_phase(*steps: Step[World], ask: str | None = None) -> Plan[World]:
    return (Phase("only", "all is well", in_order(*steps), ask),)


def nobody_asks(question: str) -> None:
    raise AssertionError(f"was asked: {question}")


def yes(question: str) -> None:
    """Goes on."""


# --- order ------------------------------------------------------------------------------------------------------------


def test_a_plan_makes_every_fact_true_in_its_order() -> None:
    world = World()
    plan = (
        Phase("first", "", in_order(Fact("a"), Fact("b"))),
        Phase("second", "", in_order(Fact("c"), Fact("d"))),
    )

    results = Runner(plan, world).run(nobody_asks)

    assert world.made == ["a", "b", "c", "d"]
    assert [(one.step, one.phase, one.outcome) for one in results] == [
        ("a", "first", Done("a is there")),
        ("b", "first", Done("b is there")),
        ("c", "second", Done("c is there")),
        ("d", "second", Done("d is there")),
    ]


def test_what_holds_already_is_left_alone() -> None:
    world = World({"a", "c"})

    Runner(one_phase(Fact("a"), Fact("b"), Fact("c")), world).run(nobody_asks)

    assert world.made == ["b"]


def test_a_second_run_changes_nothing_and_asks_each_fact_once() -> None:
    world, plan = World(), one_phase(Fact("a"), Fact("b"), ask="Go on?")
    Runner(plan, world).run(yes)
    world.asked.clear()

    results = Runner(plan, world).run(nobody_asks)

    assert (world.made, sorted(world.asked)) == (["a", "b"], ["a", "b"])
    assert all(isinstance(one.outcome, Done) for one in results)


def test_what_an_earlier_step_undid_is_made_again() -> None:
    world = World({"b"})
    plan = one_phase(Fact("a", lambda world: world.facts.discard("b")), Fact("b"))

    Runner(plan, world).run(nobody_asks)

    assert world.facts == {"a", "b"}


def test_branches_run_side_by_side() -> None:
    meet = threading.Barrier(3, timeout=PATIENCE_S)
    steps = [Fact(name, lambda _: meet.wait() and None) for name in "abc"]
    world = World()

    Runner((Phase("only", "", together(*steps)),), world).run(nobody_asks)

    assert world.facts == {"a", "b", "c"}


def test_a_phase_without_steps_is_passed_over() -> None:
    heard = Heard()
    plan = (Phase("one", "One", in_order(Fact("a"))), Phase("none", "None", in_order(), ask="Go on?"))

    Runner(plan, World(), (heard,)).run(nobody_asks)

    assert [name for event, name, *_ in heard.events if event == "phase"] == ["one"]


def test_a_phase_begins_when_the_one_before_it_is_over() -> None:
    world, slow_is_done = World(), threading.Event()

    def finish_last(world: World) -> None:
        assert slow_is_done.wait(PATIENCE_S)

    plan = (
        Phase("first", "", together(Fact("slow", finish_last), Fact("fast", lambda _: slow_is_done.set()))),
        Phase("second", "", in_order(Fact("after"))),
    )

    Runner(plan, world).run(nobody_asks)

    assert world.made[-1] == "after"
    assert set(world.made) == {"slow", "fast", "after"}


# --- asking the world -------------------------------------------------------------------------------------------------


def test_a_survey_asks_about_every_step_in_the_plans_order_and_changes_nothing() -> None:
    world = World({"b"})
    plan = (
        Phase("first", "", together(Fact("a"), Fact("b"))),
        Phase("second", "", in_order(Unless("c", "b"), Unanswered("d", ServiceError("no answer", "Wait.")))),
    )

    found = Runner(plan, world, skip={"a": "not today"}).survey()

    assert [(one.step, one.phase, type(one.outcome)) for one in found] == [
        ("a", "first", Skipped),
        ("b", "first", Done),
        ("c", "second", Conflict),
        ("d", "second", Failed),
    ]
    assert (world.made, world.facts) == ([], {"b"})


def test_all_checks_of_a_survey_are_asked_side_by_side() -> None:
    meet = threading.Barrier(5, timeout=PATIENCE_S)

    class Meeting(Fact):
        def check(self, world: World) -> Outcome:
            meet.wait()
            return super().check(world)

    found = Runner(one_phase(*(Meeting(name) for name in "abcde")), World()).survey()

    assert [one.step for one in found] == list("abcde")


def test_every_contradiction_is_shown_and_nothing_is_touched() -> None:
    world = World({"x", "y"})
    plan = (
        Phase("first", "", in_order(Fact("a"), Unless("b", "x"))),
        Phase(
            "second",
            "",
            in_order(Unless("c", "y"), Unanswered("d", ServiceError("nobody answers", "Wait.")), Unless("e", "x")),
        ),
    )

    with pytest.raises(ConflictError) as caught:
        Runner(plan, world).run(nobody_asks)

    assert caught.value.message == (
        "Found 3 problems; nothing was changed:\n"
        "- b, e: x is in the way.\n  Remove x.\n"
        "- c: y is in the way.\n  Remove y.\n"
        "- d: nobody answers\n  Wait."
    )
    assert (world.made, world.facts) == ([], {"x", "y"})


def test_what_fails_for_many_steps_alike_is_said_once() -> None:
    down = ServiceError("the index is down", "Wait.")

    with pytest.raises(ServiceError) as caught:
        Runner(one_phase(Unanswered("a", down), Fact("b"), Unanswered("c", down)), World()).run(nobody_asks)

    assert (caught.value.message, caught.value.remedy) == ("a, c: the index is down", "Wait.")


def test_a_step_that_is_left_out_is_not_even_asked() -> None:
    world = World()

    results = Runner(one_phase(Fact("a"), Fact("b")), world, skip={"a": "left out by --skip a"}).run(nobody_asks)

    assert [one.outcome for one in results] == [Skipped("left out by --skip a"), Done("b is there")]
    assert "a" not in world.asked


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (ConfigError("a", "b"), 2),
        (ConflictError("a", "b"), 3),
        (ServiceError("a", "b"), 1),
        (WaitTimeoutError("a", "b"), 5),
    ],
)
def test_one_failure_keeps_its_kind_its_remedy_and_its_exit_code(error: ReleaserError, exit_code: int) -> None:
    for step in (Unanswered("x", error), Fact("x", failing(error))):
        with pytest.raises(type(error)) as caught:
            Runner(one_phase(step), World()).run(nobody_asks)

        assert (caught.value.message, caught.value.remedy, caught.value.exit_code) == ("x: a", "b", exit_code)


def test_conflicts_alone_are_counted_as_such_with_the_remedy_for_all_of_them() -> None:
    with pytest.raises(ConflictError) as caught:
        Runner(one_phase(Unless("a", "x"), Unless("b", "y")), World({"x", "y"})).run(nobody_asks)

    assert caught.value.message.startswith("Found 2 conflicts; nothing was changed:\n- a: x is in the way")
    assert caught.value.remedy == "Fix the problem above and rerun the command. Completed steps are not repeated."


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ((ServiceError("a"), ServiceError("b")), ServiceError),
        ((VersionError("a"), ChangelogError("b")), UsageError),
        ((WaitTimeoutError("a"), WaitTimeoutError("b")), WaitTimeoutError),
        ((WaitTimeoutError("a"), CommandError("b")), StepError),
        ((CommandError("a"), StepError("b")), StepError),
        ((CommandError("a"), UsageError("b")), ReleaserError),
    ],
)
def test_several_failures_are_shown_together_as_what_all_of_them_are(
    errors: Sequence[ReleaserError], kind: type[ReleaserError]
) -> None:
    steps = [Fact(f"step{number}", failing(error)) for number, error in enumerate(errors)]

    with pytest.raises(kind) as caught:
        Runner((Phase("only", "", together(*steps)),), World()).run(nobody_asks)

    assert type(caught.value) is kind
    assert caught.value.message == "2 steps failed:\n- step0: a\n- step1: b"


# --- what goes wrong while it runs ------------------------------------------------------------------------------------


def test_a_failed_step_ends_its_branch_and_the_plan_but_not_the_branches_beside_it() -> None:
    world = World()
    plan = (
        Phase("first", "", together((Fact("a", failing(StepError("broken"))), Fact("a2")), (Fact("b"), Fact("b2")))),
        Phase("second", "", in_order(Fact("c"))),
    )

    with pytest.raises(StepError, match="a: broken"):
        Runner(plan, world).run(nobody_asks)

    assert world.made == ["b", "b2"]


def test_a_step_that_ran_in_vain_has_failed() -> None:
    world = World()

    class Vain(Fact):
        def run(self, world: World) -> None:
            world.made.append(self.name)

    with pytest.raises(StepError, match="v: it ran without an error, but its check still reports: make v"):
        Runner(one_phase(Vain("v"), Fact("w")), world).run(nobody_asks)

    assert world.made == ["v"]


def test_a_step_that_brought_about_something_else_is_a_conflict() -> None:
    plan = one_phase(Unless("a", "x"), Fact("b"))
    plan[0].steps[0].run = lambda world: world.facts.add("x")  # type: ignore[method-assign]
    world = World()

    with pytest.raises(ConflictError, match="- a: x is in the way"):
        Runner(plan, world).run(nobody_asks)

    assert world.facts == {"x"}


def test_a_step_that_finds_that_it_does_not_apply_lets_the_branch_go_on() -> None:
    class Inapplicable(Fact):
        def verify(self, _world: World) -> Outcome:
            return Skipped("nothing in it can run here")

    world = World()

    results = Runner(one_phase(Inapplicable("a"), Fact("b")), world).run(nobody_asks)

    assert [type(one.outcome) for one in results] == [Skipped, Done]


def test_a_step_that_may_not_be_left_out_stops_the_plan_before_anything_whoever_leaves_it_out() -> None:
    class Inapplicable(Fact):
        def check(self, _world: World) -> Outcome:
            return Skipped("no engine here")

    world, demand = World(), {"a": "--require a", "b": "--require b"}
    plan = one_phase(Inapplicable("a"), Fact("b"), Fact("c"))

    with pytest.raises(StepError) as caught:
        Runner(plan, world, skip={"b": "left out by --skip b"}, require=demand).run(nobody_asks)

    assert "a: --require a is not met: no engine here" in caught.value.message
    assert "b: --require b is not met: left out by --skip b" in caught.value.message
    assert not world.made


def test_a_step_that_may_not_be_left_out_fails_when_it_turns_out_not_to_apply() -> None:
    class Inapplicable(Fact):
        def verify(self, _world: World) -> Outcome:
            return Skipped("nothing in it can run here")

    with pytest.raises(StepError, match="--require a is not met: nothing in it can run here"):
        Runner(one_phase(Inapplicable("a")), World(), require={"a": "--require a"}).run(nobody_asks)


def test_a_demand_that_is_met_changes_nothing() -> None:
    (result,) = Runner(one_phase(Fact("a")), World(), require={"a": "--require a"}).run(nobody_asks)

    assert result.outcome == Done("a is there")


def test_our_own_bug_comes_out_as_itself_and_stops_what_runs_beside_it() -> None:
    def wait_for_the_end(world: World) -> None:
        current().sleep(PATIENCE_S)

    world = World()
    plan = (Phase("only", "", together(Fact("waits", wait_for_the_end), Fact("buggy", failing(KeyError("oops"))))),)

    with pytest.raises(KeyError, match="oops"):
        Runner(plan, world).run(nobody_asks)

    assert world.made == []


def test_a_bug_in_a_check_comes_out_as_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        Runner(one_phase(Fact("a"), Unanswered("b", ZeroDivisionError())), World()).survey()


def test_a_stop_ends_waits_and_no_further_step_begins() -> None:
    world = World()
    both_run = threading.Barrier(2, timeout=PATIENCE_S)

    def stop(world: World) -> None:
        both_run.wait()
        runner.cancelled.set()

    def wait_long(world: World) -> None:
        both_run.wait()
        current().sleep(PATIENCE_S * 10)

    plan = (
        Phase("first", "", together((Fact("stops", stop), Fact("next")), Fact("waits", wait_long))),
        Phase("second", "", in_order(Fact("later"))),
    )
    runner = Runner(plan, world)

    with pytest.raises(InterruptedRunError):
        runner.run(nobody_asks)

    assert world.made == ["stops"]


def test_a_signal_between_the_starts_of_two_branches_stops_the_first() -> None:
    runs = threading.Event()

    class Struck(tuple[tuple[Step[World], ...], ...]):
        def __iter__(self) -> Iterator[tuple[Step[World], ...]]:
            for branch in super().__iter__():
                yield branch
                if heard.events and runs.wait(PATIENCE_S):
                    raise KeyboardInterrupt

    def wait_long(_: World) -> None:
        runs.set()
        current().sleep(PATIENCE_S * 10)

    world, heard = World(), Heard()
    plan = (Phase("only", "", Struck(together(Fact("waits", wait_long), Fact("never")))),)

    with pytest.raises(KeyboardInterrupt):
        Runner(plan, world, (heard,)).run(nobody_asks)

    assert world.made == []


def test_a_run_that_was_stopped_beforehand_asks_and_does_nothing() -> None:
    world = World()
    runner = Runner(one_phase(Fact("a")), world)
    runner.cancelled.set()

    with pytest.raises(InterruptedRunError):
        runner.run(nobody_asks)

    assert (world.asked, world.made) == ([], [])


# --- the question -----------------------------------------------------------------------------------------------------


def two_phases(later: Step[World]) -> Plan[World]:
    return (
        Phase("here", "", in_order(Fact("a"))),
        Phase("public", "", in_order(later), ask="Go on in public?"),
        Phase("after", "", in_order(Fact("z"))),
    )


def test_the_question_is_asked_once_when_everything_before_it_is_done() -> None:
    world, questions = World(), []

    def confirm(question: str) -> None:
        questions.append((question, list(world.made)))

    Runner(two_phases(Fact("b")), world).run(confirm)

    assert questions == [("Go on in public?", ["a"])]
    assert world.made == ["a", "b", "z"]


def test_a_no_leaves_everything_after_it_undone() -> None:
    world = World()

    def refuse(question: str) -> None:
        raise NotConfirmedError("no")

    with pytest.raises(NotConfirmedError):
        Runner(two_phases(Fact("b")), world).run(refuse)

    assert world.made == ["a"]


def test_the_question_is_not_asked_when_nothing_is_left_to_do_behind_it() -> None:
    world = World({"b", "z"})

    Runner(two_phases(Fact("b")), world).run(nobody_asks)

    assert world.made == ["a"]


def test_the_question_is_asked_when_only_a_later_phase_has_something_to_do() -> None:
    asked: list[str] = []

    Runner(two_phases(Fact("b")), World({"a", "b"})).run(asked.append)

    assert asked == ["Go on in public?"]


def test_what_came_into_the_way_meanwhile_is_found_before_the_question() -> None:
    world = World()
    plan = (
        Phase("here", "", in_order(Fact("a", lambda world: world.facts.add("x")))),
        Phase("public", "", in_order(Fact("b")), ask="Go on?"),
        Phase("after", "", in_order(Unless("c", "x"))),
    )

    with pytest.raises(ConflictError, match="Found 1 conflict; nothing was published:\n- c: x is in the way"):
        Runner(plan, world).run(nobody_asks)

    assert world.made == ["a"]


def test_what_comes_into_the_way_while_the_question_stands_is_found_before_the_step() -> None:
    world = World()

    def meanwhile(question: str) -> None:
        world.facts.add("x")

    with pytest.raises(ConflictError, match="- b: x is in the way"):
        Runner(two_phases(Unless("b", "x")), world).run(meanwhile)

    assert world.made == ["a"]


# --- those who watch --------------------------------------------------------------------------------------------------


def test_observers_hear_of_phases_starts_progress_and_ends() -> None:
    heard = Heard()
    plan = (
        Phase("first", "", in_order(Fact("a", lambda _: current().tell("half way")), Fact("b"))),
        Phase("second", "", in_order(Fact("c", failing(StepError("broken"))))),
    )

    with pytest.raises(StepError):
        Runner(plan, World({"b"}), [heard]).run(nobody_asks)

    assert heard.events == [
        ("phase", "first"),
        ("started", "a"),
        ("progress", "a", "half way"),
        ("finished", "a", "Done"),
        ("finished", "b", "Done"),
        ("phase", "second"),
        ("started", "c"),
        ("finished", "c", "Failed"),
    ]


def test_progress_goes_to_the_step_that_makes_it() -> None:
    heard, meet = Heard(), threading.Barrier(2, timeout=PATIENCE_S)

    def tell(text: str) -> Callable[[World], None]:
        def doing(world: World) -> None:
            meet.wait()
            current().tell(text)

        return doing

    Runner((Phase("only", "", together(Fact("a", tell("from a")), Fact("b", tell("from b")))),), World(), [heard]).run(
        nobody_asks
    )

    assert {("progress", "a", "from a"), ("progress", "b", "from b")} <= set(heard.events)
    assert sum(event[0] == "progress" for event in heard.events) == 2


def test_what_happens_elsewhere_while_a_step_runs_is_told_apart_from_its_progress() -> None:
    heard = Heard()

    Runner((Phase("only", "", in_order(Fact("a", lambda _: current().note("job ended")))),), World(), [heard]).run(
        nobody_asks
    )

    assert ("noted", "a", "job ended") in heard.events
    assert not [event for event in heard.events if event[0] == "progress"]


def test_a_step_that_counts_reports_how_much_of_all_is_done() -> None:
    heard = Heard()

    plan = one_phase(Fact("a", lambda _: current().tell("3 of 12 tests", 3, 12)))
    Runner(plan, World(), [heard]).run(nobody_asks)

    assert ("progress", "a", "3 of 12 tests", "3", "12") in heard.events


def test_an_observer_that_fails_stops_the_run() -> None:
    class Broken(Heard):
        def started(self, _step: str, _title: str) -> None:
            raise OSError("the disk is full")

    world = World()

    with pytest.raises(OSError, match="full"):
        Runner(one_phase(Fact("a")), world, [Broken()]).run(nobody_asks)

    assert world.made == []


# --- stopped anywhere -------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    shape=st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=3), min_size=1, max_size=3),
    stop_at=st.integers(0, 30),
)
def test_stopped_anywhere_the_same_run_again_makes_each_fact_exactly_once(shape: list[list[int]], stop_at: int) -> None:
    class Stopping(Heard):
        """Stops the run at one of its events, whichever thread that happens in."""

        def finished(self, step: str, title: str, outcome: Outcome, seconds: float) -> None:
            super().finished(step, title, outcome, seconds)
            self._maybe_stop()

        def started(self, step: str, title: str) -> None:
            super().started(step, title)
            self._maybe_stop()

        def _maybe_stop(self) -> None:
            if len(self.events) > stop_at:
                runner.cancelled.set()

    plan = tuple(
        Phase(
            f"phase{p}",
            "",
            tuple(tuple(Fact(f"f{p}.{b}.{s}") for s in range(length)) for b, length in enumerate(branches)),
        )
        for p, branches in enumerate(shape)
    )
    everything = {step.name for phase in plan for step in phase.steps}
    world = World()

    runner = Runner(plan, world, [Stopping()])
    try:
        runner.run(yes)
    except InterruptedRunError:
        assert world.facts != everything
    Runner(plan, world).run(yes)

    assert world.facts == everything
    assert sorted(world.made) == sorted(everything)


class Dispensable(Fact):
    """A fact that the run is complete without."""

    essential = False


class InTheWay(Unless):
    essential = False


class Mute(Unanswered):
    essential = False


TROUBLE = StepError("It did not work", "Do it by hand.")
DENIED = PermissionError(13, "Permission denied", "/some/where")


@pytest.mark.parametrize(
    ("step", "warning"),
    [
        (Mute("extra", TROUBLE), Warned("It did not work", "Do it by hand.")),
        (InTheWay("extra", "rock"), Warned("rock is in the way.", "Remove rock.")),
        (Dispensable("extra", failing(TROUBLE)), Warned("It did not work", "Do it by hand.")),
        (
            Dispensable("extra", failing(DENIED)),
            Warned(
                "/some/where cannot be changed: Permission denied",
                "Free some space or change its permissions, then rerun the command.",
            ),
        ),
        (
            Fact("extra", failing(ToleratedError("It is too old", "Try elsewhere."))),
            Warned("It is too old", "Try elsewhere."),
        ),
    ],
    ids=["cannot be asked", "conflict", "failure", "not permitted", "tolerated"],
)
def test_what_the_run_is_complete_without_ends_as_a_warning_and_the_rest_goes_on(
    step: Step[World], warning: Warned
) -> None:
    world = World({"rock"})

    results = Runner(one_phase(Fact("a"), step, Fact("b")), world).run(nobody_asks)

    assert [result.outcome for result in results] == [Done("a is there"), warning, Done("b is there")]


def test_what_is_demanded_may_not_end_as_a_warning() -> None:
    runner = Runner(one_phase(Dispensable("a", failing(TROUBLE))), World(), require={"a": "--require a"})

    with pytest.raises(StepError, match="--require a is not met: It did not work"):
        runner.run(nobody_asks)


def test_a_bug_in_a_step_that_is_not_essential_is_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        Runner(one_phase(Dispensable("a", failing(ZeroDivisionError()))), World()).run(nobody_asks)


class Optional(Fact):
    skippable = True


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [(TROUBLE, PublishedError, 6), (WaitTimeoutError("It is late", "Rerun."), WaitTimeoutError, 5)],
)
def test_a_failure_after_the_goal_is_achieved_says_so_first_and_how_to_end(
    error: ReleaserError, kind: type[ReleaserError], code: int
) -> None:
    last = Phase("last", "seen", together(Optional("a", failing(error)), Fact("b")), achieved="It is out")

    with pytest.raises(kind) as caught:
        Runner((*one_phase(Fact("goal")), last), World()).run(nobody_asks)

    assert caught.value.exit_code == code
    assert caught.value.message == f"It is out: a: {error.message}"
    assert caught.value.remedy == f"{error.remedy} To end without it, add `--skip a`, which is recorded."


def test_a_service_that_minds_is_asked_once_in_a_survey_and_once_in_a_phase() -> None:
    phases = [Phase(name, "", together(Asking(f"{name}1"), Asking(f"{name}2"))) for name in ("first", "second")]
    world = World()

    Runner(tuple(phases), world).run(lambda _: None)

    assert world.asked.count("the service") == 3


def test_a_full_disk_after_the_goal_is_achieved_says_so_too_and_a_bug_stays_one() -> None:
    def run(error: OSError) -> None:
        Runner((Phase("last", "seen", together(Fact("a", failing(error))), achieved="It is out"),), World()).run(
            nobody_asks
        )

    with pytest.raises(PublishedError, match=r"^It is out: /some/where cannot be changed: Permission denied"):
        run(DENIED)
    with pytest.raises(FileNotFoundError):
        run(FileNotFoundError(2, "No such file or directory", "/some/where"))
