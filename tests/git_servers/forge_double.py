"""A forge's interface for programs, with state: as much of GitHub, GitLab and Gitea as is asked.

Written from their references, and as strict as they are where it matters: who asks without a token
gets 401, one pull request a branch, and only for branches that were really pushed.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class ForgeDouble:
    """One of the three, for all repositories of a folder."""

    sort: str
    """"github", "gitlab" or "gitea"."""
    folder: Path
    token: str
    web: str = ""
    """Where it says it is; the server's own address."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What the next calls are answered with, before anything is done."""
    lost: int = 0
    """How many of the next creations come through although their answer is lost."""

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> Answer | None:
        parts = urlsplit(target)
        base = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}[self.sort]
        if not parts.path.startswith("/api/"):
            return None
        if not parts.path.startswith(base):
            return self._told(404, {"message": "Not Found"})
        if parts.path == "/api/v1/version":
            return self._told(200, {"version": "1.24.0"})
        if parts.path == "/api/v3/meta":
            return self._told(200, {"installed_version": "3.17"})
        if self.statuses:
            return self._told(self.statuses.pop(0), {"message": "Something is wrong"})
        if not self._may(headers):
            return self._told(401, {"message": "401 Unauthorized"})
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(base)
        return getattr(self, f"_{self.sort}")(method, path, query, json.loads(body or b"{}"))  # type: ignore[no-any-return]

    def _may(self, headers: dict[str, str]) -> bool:
        if self.sort == "gitlab":
            return headers.get("private-token") == self.token
        word = "Bearer" if self.sort == "github" else "token"
        return headers.get("authorization") == f"{word} {self.token}"

    def _told(self, status: int, told: object) -> Answer:
        return status, {"Content-Type": "application/json"}, json.dumps(told).encode()

    def _has(self, slug: str, branch: str) -> bool:
        argv = ["git", f"--git-dir={self.folder / slug}.git", "rev-parse", "-q", "--verify"]
        ran = subprocess.run([*argv, f"refs/heads/{branch}"], capture_output=True, check=False)
        return ran.returncode == 0

    # GitHub (docs.github.com/en/rest/pulls/pulls) and Gitea (its own swagger) are much alike.

    def _github(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any]
    ) -> Answer:
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", path)
        assert found, path
        slug, rest = found[1], found[2]
        if method == "GET" and rest == "pulls":
            wanted = query.get("head", "")
            there = [one for one in self._of(slug) if one["label"] == wanted]
            return self._told(200, [self._pull(one) for one in there])
        if rest.endswith("/check-runs"):
            return self._told(200, {"total_count": len(self.checks), "check_runs": self.checks})
        if rest.endswith("/status"):
            return self._told(200, {"state": "success", "statuses": []})
        if rest.endswith("/comments"):
            return self._told(200, self.comments if rest.startswith("issues") else [])
        return self._changes(method, slug, rest, body, refusal=422)

    def _gitea(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Answer:
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", path)
        assert found, path
        slug, rest = found[1], found[2]
        if method == "GET" and rest == "pulls":
            at, most = int(query.get("page", 1)), min(int(query.get("limit", 30)), 50)
            page = self._of(slug)[(at - 1) * most : at * most]
            return self._told(200, [self._pull(one) for one in page])
        if rest.endswith("/status"):
            told = [{"context": c["name"], "status": c["conclusion"]} for c in self.checks]
            return self._told(200, {"state": "", "statuses": told})
        if rest.endswith("/comments"):
            return self._told(200, self.comments)
        return self._changes(method, slug, rest, body, refusal=409)

    def _changes(
        self, method: str, slug: str, rest: str, body: dict[str, Any], *, refusal: int
    ) -> Answer:
        if method == "POST" and rest == "pulls":
            return self._make(
                slug, body["head"], body["base"], body["title"], body["body"], refusal
            )
        if method == "PATCH" and (found := re.fullmatch(r"pulls/(\d+)", rest)):
            one = self.requests[int(found[1]) - 1]
            one.update(body)
            return self._told(200, self._pull(one))
        return self._told(404, {"message": "Not Found"})

    # GitLab: docs.gitlab.com/api/merge_requests.

    def _gitlab(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any]
    ) -> Answer:
        found = re.fullmatch(r"/projects/([^/]+)/(.+)", path)
        assert found, path
        slug, rest = unquote(found[1]), found[2]
        if method == "GET" and rest == "merge_requests":
            there = [one for one in self._of(slug) if one["branch"] == query["source_branch"]]
            return self._told(200, [self._merge(one) for one in there])
        if method == "POST" and rest == "merge_requests":
            words = (body["source_branch"], body["target_branch"], body["title"])
            return self._make(slug, *words, body["description"], 409)
        if method == "PUT" and (made := re.fullmatch(r"merge_requests/(\d+)", rest)):
            one = self.requests[int(made[1]) - 1]
            one["body"] = body["description"]
            return self._told(200, self._merge(one))
        if rest.endswith("/statuses"):
            told = [{"name": c["name"], "status": c["conclusion"]} for c in self.checks]
            return self._told(200, told)
        if rest.endswith("/notes"):
            told = [{"body": c["body"], "author": {"username": "anna"}} for c in self.comments]
            return self._told(200, [*told, {"body": "changed the title", "system": True}])
        return self._told(404, {"message": "404 Not Found"})

    # What is kept.

    def _of(self, slug: str) -> list[dict[str, Any]]:
        return [one for one in self.requests if one["slug"] == slug and one["is_open"]]

    def _make(
        self, slug: str, branch: str, base: str, title: str, text: str, refusal: int
    ) -> Answer:
        if any(one["branch"] == branch and not one["fork"] for one in self._of(slug)):
            return self._told(refusal, {"message": "a pull request already exists"})
        if not self._has(slug, branch) or not self._has(slug, base):
            return self._told(422, {"message": "Validation Failed", "errors": ["head: invalid"]})
        one = self.add(slug, branch, base=base, title=title, body=text)
        if self.lost:
            self.lost -= 1
            return 502, {}, b"<html>Bad Gateway</html>"
        return self._told(201, self._merge(one) if self.sort == "gitlab" else self._pull(one))

    def add(
        self, slug: str, branch: str, *, base: str = "main", title: str = "", body: str = "",
        fork: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Have a pull request there, of a fork if one is named."""
        owner = (fork or slug).split("/")[0]
        one = {
            "number": len(self.requests) + 1, "slug": slug, "branch": branch, "base": base,
            "title": title, "body": body, "fork": fork, "label": f"{owner}:{branch}",
            "is_open": True,
        }  # fmt: skip
        self.requests.append(one)
        return one

    def _pull(self, one: dict[str, Any]) -> dict[str, Any]:
        slug, number = one["slug"], one["number"]
        from_where = {"full_name": one["fork"] or slug}
        return {
            "number": number,
            "html_url": f"{self.web}/{slug}/pull/{number}",
            "head": {"ref": one["branch"], "label": one["label"], "repo": from_where},
            "base": {"ref": one["base"]},
            "title": one["title"],
            "body": one["body"],
        }

    def _merge(self, one: dict[str, Any]) -> dict[str, Any]:
        slug, number = one["slug"], one["number"]
        return {
            "iid": number,
            "id": 1000 + number,
            "web_url": f"{self.web}/{slug}/-/merge_requests/{number}",
            "source_branch": one["branch"],
            "source_project_id": 2 if one["fork"] else 1,
            "target_project_id": 1,
            "target_branch": one["base"],
            "title": one["title"],
            "description": one["body"],
        }
