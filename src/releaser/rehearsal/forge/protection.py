"""The routes of what the rehearsal's GitHub lets be pushed: branches, their protection, and rulesets.

Rulesets and protection are in the seed or, read each time, in ``settings.json``: ``rulesets`` is a list in the API's
own form (``bypass`` is what ``current_user_can_bypass`` says), ``protected`` maps a branch to ``contexts`` and
``enforcement_level`` of its status checks, and to ``whole``, which only administrators see.
"""

from __future__ import annotations

from aiohttp import web

from releaser.rehearsal.forge.answers import Handlers, page_of, problem
from releaser.rehearsal.forge.shapes import EPOCH, Record, Shapes
from releaser.rehearsal.rules import is_about


class Protection(Handlers):
    """What may be pushed."""

    def routes(self) -> list[web.RouteDef]:
        """Everything of the API that says what may be pushed."""
        api = f"/repos/{self._repository}"
        return [
            web.get(f"{api}/branches/{{branch}}", self.branch),
            web.get(f"{api}/branches/{{branch}}/protection", self.protection),
            web.get(f"{api}/rules/branches/{{branch}}", self.branch_rules),
            web.get(f"{api}/rulesets", self.rulesets),
            web.get(f"{api}/rulesets/{{ruleset:\\d+}}", self.ruleset),
        ]

    async def branch(self, request: web.Request) -> web.Response:
        """GET: a branch, and the part of its protection that everyone sees."""
        name = request.match_info["branch"]
        sha = self._store.git.commit(f"refs/heads/{name}") if self._store.git else None
        if sha is None:
            return problem(404, "Branch not found")
        protected = self._protected(name)
        contexts = (protected or {}).get("contexts", [])
        level = (protected or {}).get("enforcement_level", "non_admins" if contexts else "off")
        api = self._shapes(request).api
        return web.json_response(
            {
                "name": name,
                "commit": _commit(self._shapes(request), sha),
                "_links": {"self": f"{api}/branches/{name}", "html": f"{self._shapes(request).web}/tree/{name}"},
                "protected": protected is not None or bool(self._of_branch(name)),
                "protection": {
                    "enabled": protected is not None,
                    "required_status_checks": {
                        "enforcement_level": level,
                        "contexts": contexts,
                        "checks": [{"context": context, "app_id": None} for context in contexts],
                    },
                },
                "protection_url": f"{api}/branches/{name}/protection",
            }
        )

    async def protection(self, request: web.Request) -> web.Response:
        """GET: the whole of it, for administrators; GitHub hides it from others."""
        protected = self._protected(request.match_info["branch"])
        if protected is None or "whole" not in protected:
            return problem(404, "Not Found" if protected else "Branch not protected")
        return web.json_response(protected["whole"])

    async def branch_rules(self, request: web.Request) -> web.Response:
        """GET: the rules that are active for a branch, whether it exists or not."""
        rules = [
            {
                **rule,
                "ruleset_source_type": "Repository",
                "ruleset_source": self._repository,
                "ruleset_id": ruleset["id"],
            }
            for ruleset in self._of_branch(request.match_info["branch"])
            for rule in ruleset["rules"]
        ]
        part, headers = page_of(request, rules)
        return web.json_response(list(part), headers=headers)

    async def rulesets(self, request: web.Request) -> web.Response:
        """GET: the rulesets, by target, without rules and conditions."""
        targets = request.query.get("targets", "branch,tag,push").split(",")
        found = [self._shape(one) for one in self._store.rulesets() if one["target"] in targets]
        part, headers = page_of(request, found)
        return web.json_response(list(part), headers=headers)

    async def ruleset(self, request: web.Request) -> web.Response:
        """GET: one ruleset."""
        number = int(request.match_info["ruleset"])
        found = next((one for one in self._store.rulesets() if one["id"] == number), None)
        if found is None:
            return problem(404, "Not Found")
        whole = {"conditions": found["conditions"], "rules": found["rules"]}
        # Only administrators see them.
        actors = {"bypass_actors": found["bypass_actors"]} if "bypass_actors" in found else {}
        shape = {**self._shape(found), **whole, **actors, "current_user_can_bypass": found.get("bypass", "never")}
        return web.json_response(shape)

    def _shape(self, ruleset: Record) -> Record:
        return {
            "id": ruleset["id"],
            "name": ruleset["name"],
            "target": ruleset["target"],
            "source_type": "Repository",
            "source": self._repository,
            "enforcement": ruleset.get("enforcement", "active"),
            "created_at": EPOCH,
            "updated_at": EPOCH,
        }

    def _of_branch(self, branch: str) -> list[Record]:
        return [
            one
            for one in self._store.rulesets()
            if one["target"] == "branch"
            and one.get("enforcement", "active") == "active"
            and is_about(one, f"refs/heads/{branch}")
        ]

    def _protected(self, branch: str) -> Record | None:
        return self._store.protected().get(branch)


def _commit(shapes: Shapes, sha: str) -> Record:
    address = f"{shapes.api}/commits/{sha}"
    return {
        "url": address,
        "sha": sha,
        "node_id": sha,
        "html_url": f"{shapes.web}/commit/{sha}",
        "comments_url": f"{address}/comments",
        "commit": {
            "url": f"{shapes.api}/git/commits/{sha}",
            "author": None,
            "committer": None,
            "message": "",
            "comment_count": 0,
            "tree": {"sha": sha, "url": f"{shapes.api}/git/trees/{sha}"},
        },
        "author": {},
        "committer": {},
        "parents": [],
    }
