"""What the tests of the release engine share: sample projects, `invoke`, the services that a release talks to."""
