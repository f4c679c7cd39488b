"""GitHub as a source of days, against a loopback server that answers in the documented shapes."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from werkzeug import Response

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import Settings
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._memory import Memory
from defimon.sources._series import Cursor, Wanted
from defimon.sources.github import GitHub

sys.path.append(str(Path(__file__).parent))  # so that the played service can be imported

from played_github import TODAY, PlayedGitHub, Repository, ago, sample, show_its_date

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def played(httpserver, monkeypatch):
    """Starts a GitHub with these repositories; gives it and the settings that point at it."""
    show_its_date(monkeypatch)

    def start(*repositories, **settings):
        service = PlayedGitHub(*repositories, token=settings.get("github_token"))
        httpserver.expect_request("").respond_with_handler(service)
        httpserver.handlers[-1].matcher.match = lambda _: True
        names = settings.pop("repositories", tuple(one.name for one in repositories))
        return service, Settings(repositories=names, github_url=httpserver.url_for("/"), **settings)

    return start


def batches(settings, wanted=None, *, kept=None, memory=None):
    """Batches of every series, by series."""

    async def run():
        async with Http(QUICK, memory) as http:
            source = GitHub.opened(http, settings, (kept if kept is not None else []).append)
            return {
                one.name: [batch async for batch in source.batches(one, wanted or Wanted())]
                for one in source.series()
            }

    return asyncio.run(run())


def rows(settings, wanted=None, **more):
    """All rows of the one series."""
    (found,) = batches(settings, wanted, **more).values()
    return pl.concat([batch.rows["development_activity"] for batch in found])


def day_of(frame, days_ago):
    return frame.row(by_predicate=pl.col("ts") == TODAY - (days_ago - 1) * DAY, named=True)


def counted(frame, days_ago):
    row = day_of(frame, days_ago)
    return tuple(row[name] for name in ("commits", "authors", "pull_requests", "issues", "releases"))


def test_what_happened_is_counted_by_the_day_that_ends_at_ts(played):
    _, settings = played(sample())
    frame = rows(settings)
    assert frame.height == 30
    assert frame["ts"].max() == TODAY
    assert counted(frame, 3) == (3, 3, 1, 1, 0)
    assert counted(frame, 2) == (2, 2, 0, 0, 1)
    assert counted(frame, 1) == (1, 1, 0, 1, 0)
    assert counted(frame, 4) == (0, 0, 0, 0, 0)


def test_the_day_that_is_not_over_is_left_for_later(played):
    _, settings = played(sample())
    assert rows(settings).filter(pl.col("ts") > TODAY).is_empty()


def test_a_clock_that_runs_ahead_of_github_does_not_end_its_day(played):
    service, settings = played(sample())
    assert service.requests == []
    (found,) = batches(settings).values()
    assert found[-1].cursor == Cursor((TODAY - EPOCH) // timedelta(microseconds=1), TODAY)


def test_stars_and_contributors_stand_only_in_the_last_day(played):
    _, settings = played(sample())
    frame = rows(settings)
    assert (day_of(frame, 1)["stars"], day_of(frame, 1)["contributors"]) == (321, 7)
    assert frame["stars"].null_count() == frame["contributors"].null_count() == 29


def test_a_back_fill_goes_in_windows_of_a_quarter_in_rising_order(played):
    _, settings = played(sample())
    (found,) = batches(settings, Wanted(since=TODAY - 200 * DAY)).values()
    heights = [batch.rows["development_activity"].height for batch in found]
    assert heights == [90, 90, 20]
    assert [batch.done for batch in found] == [90, 180, 200]
    frame = pl.concat([batch.rows["development_activity"] for batch in found])
    assert counted(frame, 40) == (1, 1, 0, 0, 0)
    assert counted(frame, 200) == (0, 0, 0, 0, 1)
    assert frame["stars"].null_count() == 199


def test_it_goes_on_after_the_cursor_and_has_nothing_when_it_is_up_to_date(played):
    _, settings = played(sample())
    at = TODAY - 2 * DAY
    frame = rows(settings, Wanted(cursor=Cursor((at - EPOCH) // timedelta(microseconds=1), at)))
    assert frame["ts"].to_list() == [TODAY - DAY, TODAY]
    assert batches(settings, Wanted(cursor=Cursor(0, TODAY))) == {"github:acme/vault:activity": []}


def test_a_gap_is_filled_up_to_its_end_and_says_nothing_of_now(played):
    _, settings = played(sample())
    micros = (TODAY - EPOCH) // timedelta(microseconds=1)
    before = Cursor(micros - 1 - 3 * 86_400_000_000, TODAY - 3 * DAY - timedelta(microseconds=1))
    frame = rows(settings, Wanted(cursor=before, until=micros))
    assert frame["ts"].to_list() == [TODAY - 3 * DAY, TODAY - 2 * DAY, TODAY - DAY]
    assert frame["stars"].null_count() == 3


def test_pages_are_followed_along_their_links(played):
    service, settings = played(sample())
    rows(settings)
    assert any("page=3" in one for one in service.asked() if "/commits" in one)
    assert any("page=2" in one for one in service.asked() if "/releases" in one)


def _touched(repository):
    repository.items[0]["updated_at"] = repository.items[1]["updated_at"]


def _pushed(repository):
    repository.commit(ago(1, hours=23), "zoe")


def _published(repository):
    repository.release(ago(0))
    repository.releases.insert(0, repository.releases.pop())


def _opened(repository):
    repository.issue(ago(0), pull_request=True)


@pytest.mark.parametrize(
    ("what", "change"),
    [("issues", _touched), ("commits", _pushed), ("releases", _published), ("pulls", _opened)],
)
def test_a_list_that_grows_while_it_is_read_counts_nothing_twice(played, what, change):
    """The second page then begins with the last row of the first one."""
    growing = sample()
    growing.items[0]["updated_at"] = growing.items[0]["created_at"]
    growing.issue(ago(2), pull_request=True)
    growing.issue(ago(5), pull_request=True)
    growing.issues_are_off = what == "pulls"
    service, settings = played(growing)
    honest = getattr(service, what)

    def answer(request, repository):
        if request.args.get("page") == "2":
            change(repository)
        return honest(request, repository)

    setattr(service, what, answer)
    frame = rows(settings)
    issues = None if what == "pulls" else 1
    assert counted(frame, 3) == (3, 3, 1, issues, 0)
    assert counted(frame, 2) == (2, 2, 1, issues and 0, 1)


def test_a_link_to_another_host_is_not_followed(played):
    service, settings = played(sample(), github_token="ghp_secret")
    away = Response("[]", headers={"Link": '<http://127.0.0.2:9/commits?page=2>; rel="next"'})
    service.faults = [service.whole(_Plain(), {"full_name": "acme/vault", "stargazers_count": 1}), away]
    with pytest.raises(BadData, match="another host"):
        batches(settings)


class _Plain:
    """A request without conditions, for an answer made by hand."""

    environ = {"REQUEST_METHOD": "GET"}  # noqa: RUF012 - as werkzeug reads it


def test_a_renamed_repository_is_followed_and_told(played):
    moved = sample("acme/strongbox")
    service, settings = played(moved, repositories=("acme/vault",))
    service.moved = {"acme/vault": "acme/strongbox"}
    (found,) = batches(settings).values()
    assert found[0].rows["development_activity"]["repository"].unique().to_list() == ["acme/vault"]
    assert "is called acme/strongbox at GitHub now" in found[0].warnings[0]
    assert counted(found[0].rows["development_activity"], 3) == (3, 3, 1, 1, 0)


@pytest.mark.parametrize(("status", "words"), [(404, "private or was deleted"), (451, "legal reasons")])
def test_a_repository_that_is_gone_says_why_and_how_to_mend_it(played, status, words):
    service, settings = played(sample())
    service.faults = [service.refusal(status, "gone")]
    with pytest.raises(BadData, match=f"{words}.*DEFIMON_REPOSITORIES"):
        batches(settings)


def test_an_empty_repository_has_days_without_work(played):
    _, settings = played(Repository("acme/empty"))
    frame = rows(settings)
    assert frame["commits"].sum() == frame["authors"].sum() == 0
    assert day_of(frame, 1)["contributors"] == 0


def test_where_issues_are_disabled_they_are_unknown_and_pull_requests_still_count(played):
    off = sample()
    off.issues_are_off = True
    _, settings = played(off)
    frame = rows(settings)
    assert frame["issues"].null_count() == 30
    assert frame["pull_requests"].sum() == 1


def test_issues_that_are_gone_for_a_moment_are_not_taken_for_disabled(played):
    """Days would stand without a count for ever."""
    service, settings = played(sample())
    service.issues = lambda *_: service.refusal(410, "Gone")
    with pytest.raises(TryAgain, match="has issues"):
        rows(settings)


def test_a_history_too_large_for_its_contributors_leaves_them_empty_and_says_so(played):
    service, settings = played(sample())
    service.contributors = lambda *_: service.refusal(
        403,
        "The history or contributor list is too large to list contributors for this repository via the API.",
    )
    (found,) = batches(settings).values()
    assert day_of(found[-1].rows["development_activity"], 1)["contributors"] is None
    assert "contributors" in found[-1].warnings[0]


def test_an_answer_that_is_still_computed_is_asked_for_again(played):
    service, settings = played(sample())
    service.faults = [Response("{}", 202), Response("{}", 202)]
    assert rows(settings).height == 30


def test_a_secondary_limit_is_waited_for_as_it_asks(played):
    service, settings = played(sample())
    limit = "You have exceeded a secondary rate limit."
    service.faults = [
        service.refusal(403, limit, Retry_After="0"),
        service.refusal(429, limit, Retry_After="0"),
    ]
    assert rows(settings).height == 30


def test_spent_calls_end_the_run_and_say_when_there_are_new_ones(played):
    service, settings = played(sample())
    reset = str(int(datetime.now(UTC).timestamp()) + 1_800)
    service.faults = [
        service.refusal(403, "API rate limit exceeded", x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    ]
    with pytest.raises(TryAgain) as caught:
        batches(settings)
    assert 1_700 < caught.value.after_seconds <= 1_800
    assert len(service.requests) == 1


def test_what_has_not_changed_is_not_sent_again(played):
    service, settings = played(sample())
    memory = Memory()
    first, second = rows(settings, memory=memory), rows(settings, memory=memory)
    assert first.drop("known_at").equals(second.drop("known_at"))
    again = [one for one in service.requests if "If-None-Match" in one.headers]
    assert sorted({one.path.rpartition("/")[2] for one in again}) == ["contributors", "releases", "vault"]


def test_what_is_kept_of_an_unchanged_answer_is_not_its_time(played, monkeypatch):
    """Else no day would ever be over for a repository at rest."""
    _, settings = played(sample())
    memory = Memory()
    assert rows(settings, memory=memory)["ts"].max() == TODAY
    show_its_date(monkeypatch, TODAY + DAY)
    assert rows(settings, memory=memory)["ts"].max() == TODAY + DAY


def test_a_list_that_grows_behind_an_unchanged_page_is_counted_whole(played):
    repository, memory = sample(), Memory()
    _, settings = played(repository)
    assert day_of(rows(settings, memory=memory), 1)["contributors"] == 7
    repository.contributors.append({"login": "c7"})
    assert day_of(rows(settings, memory=memory), 1)["contributors"] == 8


def test_the_token_is_sent_and_reaches_neither_kept_answers_nor_errors(played):
    service, settings = played(sample(), github_token="ghp_0123456789abcdefABCDEF")
    kept = []
    rows(settings, kept=kept)
    assert service.requests[0].headers["Authorization"] == "Bearer ghp_0123456789abcdefABCDEF"
    assert kept
    assert "ghp_" not in repr(kept) + repr(settings)
    service.faults = [service.refusal(401, "Bad credentials")]
    with pytest.raises(BadData) as caught:
        batches(settings)
    assert "ghp_" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        '{"message": "hello"}',
        '[{"sha": "a", "commit": {"committer": {"date": "yesterday"}}}]',
        '[{"sha": "a", "commit": {"committer": {"date": "0001-01-01T00:00:00+12:00"}}}]',
        '[{"sha": "a", "commit": {"committer": null}}]',
        '[{"commit": {"committer": {"date": "2026-03-19T12:00:00Z"}, "author": {}}}]',
        '["x"]',
        "[{}]",
    ],
)
def test_another_shape_than_documented_is_bad_data(played, answer):
    service, settings = played(sample())
    service.commits = lambda *_: Response(answer, content_type="application/json")
    with pytest.raises(BadData, match="expected"):
        batches(settings)


def test_a_release_without_a_time_is_no_draft(played):
    repository = sample()
    repository.releases = [{"id": 1}]
    _, settings = played(repository)
    with pytest.raises(BadData, match="published_at: absent"):
        batches(settings)


@pytest.mark.parametrize("name", ["aave", "a/b/c", "-x/y", "x/..", "x/y z", "https://github.com/a/b"])
def test_what_names_no_repository_is_refused_with_its_variable(name):
    with pytest.raises(FixSettings, match="owner/name") as caught:
        batches(Settings(repositories=(name,)))
    assert caught.value.variable == "DEFIMON_REPOSITORIES"


def test_an_address_that_is_none_is_refused():
    with pytest.raises(FixSettings) as caught:
        batches(Settings(repositories=("a/b",), github_url="api.github.com"))
    assert caught.value.variable == "DEFIMON_GITHUB_URL"


def test_two_spellings_of_one_repository_are_one_series(played):
    _, settings = played(sample(), repositories=("acme/vault", "Acme/Vault"))
    assert list(batches(settings)) == ["github:acme/vault:activity"]


def test_a_release_is_counted_on_the_day_of_publication_whatever_its_place_in_the_list(played):
    odd = sample()
    odd.release(ago(1))
    _, settings = played(odd)
    assert counted(rows(settings), 1)[4] == 1
