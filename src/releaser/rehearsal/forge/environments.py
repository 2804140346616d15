"""The deployment environments of the rehearsal's GitHub, as ``settings.json`` has them, in the API's form."""

from __future__ import annotations

from aiohttp import web

from releaser.rehearsal.forge.answers import Handlers, problem
from releaser.rehearsal.forge.shapes import Record

_CREATED = "2026-01-01T00:00:00Z"


class Environments(Handlers):
    """Deployment environments."""

    def routes(self) -> list[web.RouteDef]:
        """All environments, and the branches and tags of one."""
        api = f"/repos/{self._repository}/environments"
        return [web.get(api, self.list_all), web.get(f"{api}/{{name}}/deployment-branch-policies", self.patterns)]

    async def list_all(self, request: web.Request) -> web.Response:
        """GET: every environment with its rules."""
        api = str(request.url.with_query(None))
        named = enumerate(self._store.environments().items(), 1)
        listed = [_shape(number, name, one, f"{api}/{name}") for number, (name, one) in named]
        return web.json_response({"total_count": len(listed), "environments": listed})

    async def patterns(self, request: web.Request) -> web.Response:
        """GET: what an environment is limited to."""
        one = self._store.environments().get(request.match_info["name"])
        if one is None:
            return problem(404, "Not Found")
        kinds = (("branch", one.get("branches")), ("tag", one.get("tags")))
        named = [(kind, name) for kind, names in kinds for name in names or ()]
        listed = [
            {"id": number, "node_id": f"EBP_{number}", "name": name, "type": kind}
            for number, (kind, name) in enumerate(named, 1)
        ]
        return web.json_response({"total_count": len(listed), "branch_policies": listed})


def _shape(number: int, name: str, one: Record, url: str) -> Record:
    rules: list[Record] = []
    if reviewers := one.get("reviewers"):
        people = [{"type": "User", "reviewer": {"login": login}} for login in reviewers]
        prevents = one.get("prevent_self_review", True)
        rules.append({"type": "required_reviewers", "reviewers": people, "prevent_self_review": prevents})
    limited = one.get("branches") is not None or one.get("tags") is not None
    if limited:
        rules.append({"type": "branch_policy"})
    return {
        "id": number,
        "node_id": f"EN_{number}",
        "name": name,
        "url": url,
        "html_url": url,
        "created_at": _CREATED,
        "updated_at": _CREATED,
        "protection_rules": [{"id": at, "node_id": f"GA_{at}", **rule} for at, rule in enumerate(rules, 1)],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True} if limited else None,
    }
