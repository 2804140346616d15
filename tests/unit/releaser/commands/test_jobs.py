"""What the jobs of a workflow do, before they do it."""

from __future__ import annotations

import pytest

from releaser.commands.jobs import steps_that_test
from releaser.config.project import Config
from releaser.config.qualify import QualifyConfig
from releaser.errors import UsageError


@pytest.fixture
def config() -> Config:
    qualify = QualifyConfig.model_validate({"sessions": ["lint", "unit-tests"], "each-python": ["unit-tests"]})
    return Config.model_construct(qualify=qualify)


def test_a_further_python_gets_the_wheel_and_the_sessions_that_are_for_each(config: Config) -> None:
    assert steps_that_test(config, ["python"]) == ["try_wheel", "pass_unit_tests"]
    assert steps_that_test(config, ["qualify", "alone"]) == ["qualify", "alone"]


def test_a_job_that_would_test_nothing_is_refused(config: Config) -> None:
    with pytest.raises(UsageError, match="There is no phase qualfy that tests the files"):
        steps_that_test(config, ["alone", "qualfy"])
