"""What the decorator makes of a function: a task of invoke."""

from __future__ import annotations

import copy

import pytest
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import Exit

from releaser.errors import UsageError
from releaser.tasks.menu import is_dry, task


def test_a_function_without_a_context_is_called_with_its_own_options_alone() -> None:
    heard: list[object] = []

    @task(help={"what": "the thing to say"})
    def say(what: str = "nothing", *, loud: bool = False) -> None:
        """Say something."""
        heard.append((what, loud))

    say(Context(), "hello", loud=True)

    assert heard == [("hello", True)]
    assert (say.name, say.__doc__) == ("say", "Say something.")
    assert [argument.name for argument in copy.deepcopy(say).get_arguments()] == ["what", "loud"]


@pytest.mark.parametrize("dry", [True, False])
def test_a_function_that_names_the_context_is_given_it(dry: bool) -> None:
    heard: list[object] = []

    @task()
    def ask(c: Context, what: str = "nothing") -> None:
        heard.append((is_dry(c), what))

    ask(Context(Config(overrides={"run": {"dry": dry}})), "hello")

    assert heard == [(dry, "hello")]
    assert [argument.name for argument in ask.get_arguments()] == ["what"]


def test_an_error_of_a_task_ends_it_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    @task(name="fail")
    def anything() -> None:
        raise UsageError("it is wrong", "Change it.")

    with pytest.raises(Exit) as caught:
        anything(Context())

    assert (caught.value.code, anything.name) == (2, "fail")
    assert capsys.readouterr().err == "error: it is wrong\n  -> Change it.\n"
