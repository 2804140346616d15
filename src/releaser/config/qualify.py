"""[tool.releaser.qualify]: the sessions that the built files must pass."""

from __future__ import annotations

from pydantic import model_validator

from releaser.config.table import Table


class QualifyConfig(Table):
    """Nox sessions.

    Attributes:
        sessions: These must pass with the built wheel.
        where_possible: These must pass where the machine can run anything in them.
        alone: Those of both that run after the others, one at a time, because other programs would disturb them.
        checks: `invoke check` runs these in addition to `sessions`.
        each_python: Those of `sessions` that a workflow runs on further Pythons.
    """

    sessions: tuple[str, ...] = ()
    where_possible: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    each_python: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> QualifyConfig:
        names = [name.replace("-", "_") for name in (*self.sessions, *self.where_possible)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} occurs twice in sessions and where-possible")
        return self

    @model_validator(mode="after")
    def _alone_are_sessions(self) -> QualifyConfig:
        if unknown := sorted({*self.alone} - {*self.sessions, *self.where_possible}):
            raise ValueError(f"alone names {', '.join(unknown)}, which sessions and where-possible do not")
        if unknown := sorted({*self.each_python} - {*self.sessions}):
            raise ValueError(f"each-python names {', '.join(unknown)}, which sessions does not")
        return self
