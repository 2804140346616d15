"""The second table: a step of a job that releases goes wrong, and the end is that of a release from here."""
