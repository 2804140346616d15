"""The routes of all that a release only looks at: the user, the repository, tags, issues, workflow runs; milestones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from aiohttp import web

from releaser.rehearsal.forge.answers import caller_of, page_of, problem
from releaser.rehearsal.forge.git import BareRepository
from releaser.rehearsal.forge.shapes import Record, Shapes
from releaser.rehearsal.forge.store import ForgeStore

ANY = "*"


class Work:
    """Handlers around a store.

    Args:
        repository: ``OWNER/NAME``.
        store: What there is.
    """

    def __init__(self, repository: str, store: ForgeStore) -> None:
        self._repository = repository
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """Everything of the API but releases."""
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
            web.get(f"{api}/actions/workflows/{{workflow}}/runs", self.runs),
            web.post(f"{api}/actions/runs/{{id:\\d+}}/cancel", self.cancel_run),
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
        """GET: how two commits lie to each other, as seen from the first."""
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

    async def runs(self, request: web.Request) -> web.Response:
        """GET: the runs of a workflow, newest first, by commit and by branch or tag."""
        of_workflow = [
            run for run in self._store.state["workflow_runs"] if run["workflow"] == request.match_info["workflow"]
        ]
        if not of_workflow:
            return problem(404, "Not Found")
        asked = {"head_sha": request.query.get("head_sha", ANY), "head_branch": request.query.get("branch", ANY)}
        newest_first = sorted(of_workflow, key=lambda run: run["id"], reverse=True)
        found = [self._filled(run, asked) for run in newest_first if self._fits(run, asked)]
        part, headers = page_of(request, found)
        runs = [self._shapes(request).run(run) for run in part]
        return web.json_response({"total_count": len(found), "workflow_runs": runs}, headers=headers)

    async def cancel_run(self, request: web.Request) -> web.Response:
        """POST: cancel a run that has not ended; here it ends at once."""
        number = int(request.match_info["id"])
        run = next((run for run in self._store.state["workflow_runs"] if run["id"] == number), None)
        if run is None:
            return problem(404, "Not Found")
        if run["status"] == "completed":
            return problem(409, "Cannot cancel a workflow run that is completed.")
        run.update(status="completed", conclusion="cancelled")
        self._store.commit()
        return web.json_response({}, status=202)

    def _fits(self, run: Record, asked: Mapping[str, str]) -> bool:
        if any(ANY not in (wanted, run[key]) and wanted != run[key] for key, wanted in asked.items()):
            return False
        # A run for "whatever is asked for" begins when that was pushed.
        names = [name for name in asked.values() if name != ANY]
        is_stand_in = ANY in (run["head_sha"], run["head_branch"])
        return not is_stand_in or self._store.git is None or all(map(self._store.git.commit, names))

    def _filled(self, run: Record, asked: Mapping[str, str]) -> Record:
        branch = run["head_branch"] if run["head_branch"] != ANY else asked["head_branch"].replace(ANY, "main")
        sha = run["head_sha"] if run["head_sha"] != ANY else asked["head_sha"]
        if sha == ANY:
            sha = (self._store.git.commit(branch) if self._store.git else None) or "0" * 40
        return {**run, "head_branch": branch, "head_sha": sha}

    def _milestone(self, request: web.Request, milestone: Record) -> Record:
        return self._shapes(request).milestone(milestone, self._store.state["issues"])

    def _git(self) -> BareRepository:
        if self._store.git is None:
            raise web.HTTPConflict(reason="Git Repository is empty.")
        return self._store.git

    def _shapes(self, request: web.Request) -> Shapes:
        return Shapes(str(request.url.origin()), self._repository)
