"""Names of the many addresses and fields that GitHub's descriptions of users, repositories and releases have."""

from __future__ import annotations

# Address endings of a user and of a repository, where they are not the name of the field.
USER_URLS = {
    "followers": "followers",
    "following": "following{/other_user}",
    "gists": "gists{/gist_id}",
    "starred": "starred{/owner}{/repo}",
    "subscriptions": "subscriptions",
    "organizations": "orgs",
    "repos": "repos",
    "events": "events{/privacy}",
    "received_events": "received_events",
}
# fmt: off
REPOSITORY_URLS = (
    "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents",
    "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "git",
    "issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges", "milestones", "notifications",
    "pulls", "releases", "ssh", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams", "trees",
    "clone", "mirror", "hooks", "svn",
)
RELEASE_FIELDS = (
    "id", "tag_name", "target_commitish", "name", "body", "draft", "prerelease", "immutable",
    "created_at", "updated_at", "published_at",
)
