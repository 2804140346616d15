"""The routes of all that a release only looks at: the user, the repository, tags, issues; milestones."""

from __future__ import annotations

from datetime import datetime, timezone

from aiohttp import web

from releaser.rehearsal.forge.answers import Handlers, caller_of, page_of, problem
from releaser.rehearsal.forge.git import BareRepository
from releaser.rehearsal.forge.shapes import Record

ANY = "*"


class Work(Handlers):
    """What a release only looks at, and milestones."""

    def routes(self) -> list[web.RouteDef]:
        """Everything of the API but releases and workflow runs."""
        api = f"/repos/{self._repository}"
        return [
            web.get("/user", self.user),
            web.get(api, self.repository),
            web.get(f"{api}/git/ref/{{ref:.+}}", self.git_ref),
            web.get(f"{api}/git/matching-refs/{{ref:.+}}", self.matching_refs),
            web.get(f"{api}/git/tags/{{sha}}", self.git_tag),
            web.get(f"{api}/compare/{{base}}...{{head}}", self.compare),
            web.get(f"{api}/milestones", self.milestones),
            web.patch(f"{api}/milestones/{{number:\\d+}}", self.change_milestone),
            web.get(f"{api}/issues", self.issues),
        ]

    async def user(self, request: web.Request) -> web.Response:
        """GET: whose the token is."""
        caller = caller_of(request)
        if caller.login is None:
            return problem(401, "Requires authentication")
        if not caller.is_person:
            return problem(403, "Resource not accessible by integration")
        return web.json_response(self._shapes(request).authenticated_user(caller.login))

    async def repository(self, request: web.Request) -> web.Response:
        """GET: the repository."""
        open_issues = sum(issue["state"] == "open" for issue in self._store.state["issues"])
        return web.json_response(self._shapes(request).repository_whole(open_issues, caller_of(request).role))

    async def git_ref(self, request: web.Request) -> web.Response:
        """GET: exactly this reference."""
        ref = f"refs/{request.match_info['ref']}"
        pointed = self._git().refs(ref).get(ref)
        if pointed is None:
            return problem(404, "Not Found")
        return web.json_response(self._shapes(request).git_ref(ref, pointed))

    async def matching_refs(self, request: web.Request) -> web.Response:
        """GET: the references that start so."""
        found = self._git().refs(f"refs/{request.match_info['ref']}")
        return web.json_response([self._shapes(request).git_ref(ref, pointed) for ref, pointed in found.items()])

    async def git_tag(self, request: web.Request) -> web.Response:
        """GET: an annotated tag."""
        tag = self._git().tag(request.match_info["sha"])
        if tag is None:
            return problem(404, "Not Found")
        return web.json_response(self._shapes(request).git_tag(tag))

    async def compare(self, request: web.Request) -> web.Response:
        """GET: how the second of two commits relates to the first."""
        base, head = (self._git().commit(request.match_info[name]) for name in ("base", "head"))
        if base is None or head is None:
            return problem(404, "Not Found")
        status = "identical" if base == head else "behind" if self._git().contains(base, head) else "ahead"
        return web.json_response({"status": status, "commits": [], "files": []})

    async def milestones(self, request: web.Request) -> web.Response:
        """GET: the milestones, open ones if nothing else is asked for."""
        state = request.query.get("state", "open")
        found = [m for m in self._store.state["milestones"] if state in ("all", m["state"])]
        part, headers = page_of(request, found)
        return web.json_response([self._milestone(request, milestone) for milestone in part], headers=headers)

    async def change_milestone(self, request: web.Request) -> web.Response:
        """PATCH: open or close a milestone."""
        number = int(request.match_info["number"])
        milestone = next((m for m in self._store.state["milestones"] if m["number"] == number), None)
        if milestone is None:
            return problem(404, "Not Found")
        state = (await request.json()).get("state", milestone["state"])
        if state not in ("open", "closed"):
            return problem(422, "Validation Failed", [{"resource": "Milestone", "code": "invalid", "field": "state"}])
        if state != milestone["state"]:
            closed_at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            milestone.update(state=state, closed_at=closed_at if state == "closed" else None)
            self._store.commit()
        return web.json_response(self._milestone(request, milestone))

    async def issues(self, request: web.Request) -> web.Response:
        """GET: issues and pull requests, by state (open if not said), labels (all of them) and milestone (a number)."""
        state = request.query.get("state", "open")
        labels = set(filter(None, request.query.get("labels", "").split(",")))
        asked = request.query.get("milestone")
        found = []
        for issue in self._store.state["issues"]:
            milestone = next((m for m in self._store.state["milestones"] if m["title"] == issue.get("milestone")), None)
            fitting = {None, "none"} if milestone is None else {None, ANY, str(milestone["number"])}
            if state in ("all", issue["state"]) and labels <= set(issue.get("labels", ())) and asked in fitting:
                found.append((issue, milestone))
        part, headers = page_of(request, found)
        shapes = self._shapes(request)
        answer = [
            shapes.issue(issue, None if milestone is None else self._milestone(request, milestone))
            for issue, milestone in part
        ]
        return web.json_response(answer, headers=headers)

    def _milestone(self, request: web.Request, milestone: Record) -> Record:
        return self._shapes(request).milestone(milestone, self._store.state["issues"])

    def _git(self) -> BareRepository:
        if self._store.git is None:
            raise web.HTTPConflict(reason="Git Repository is empty.")
        return self._store.git
