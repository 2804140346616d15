import os

import nox

nox.options.default_venv_backend = "uv|virtualenv"


@nox.session
def smoke(session: nox.Session) -> None:
    session.install(os.environ["RELEASER_WHEEL"])
    session.run("odd", "--version")
    session.run("python", "-I", "-c", "import oddity; print('smoked', oddity.__file__)")
