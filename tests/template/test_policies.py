"""The policies allow each function exactly the AWS calls that its code makes."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from healthscore import process
from healthscore.core.account import Account
from healthscore.core.alerts.model import Alert, AlertKind, Severity, alert_id
from healthscore.core.dataset import layout
from healthscore.core.dataset.columns import AccountNight
from healthscore.core.model import Band, Snapshot
from healthscore.dataset import bucket as bucket_of
from healthscore.dataset import writing
from healthscore.dataset.staging import Staging, Worker
from healthscore.dataset.staging import line as staged_line
from healthscore.http.api_keys import Scope
from healthscore.storage.accounts import accounts, history, merging
from healthscore.storage.alerts import digests, messages
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections
from healthscore.storage.day_logs import commit_shard, settle
from healthscore.storage.day_logs.log_items import SealedCache
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.erasure import pending_users
from healthscore.storage.errors import AccountErasedError, StorageUnavailableError
from healthscore.storage.nights import manifests, tombstones
from tests.support.own_logs import acted, commit, tell
from tests.template import crm, names
from tests.template.calls import Calls, Permission
from tests.template.conftest import ROOT
from tools import keys
from tools.local.gateway import Gateway
from tools.local.lambdas import FunctionError, Lambdas
from tools.local.web import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tools.local.template import Stack

ADMIN_KEY = "admin-key"


@pytest.fixture(scope="session")
def policies(functions, resources) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The statements of each function's policies, by the policy's name: `code` and `runtime`."""
    found = {}
    for name, properties in functions.items():
        role, attribute = properties["Role"]["Fn::GetAtt"]
        assert attribute == "Arn"
        given = resources[role]["Properties"]["Policies"]
        found[name] = {policy["PolicyName"]: policy["PolicyDocument"]["Statement"] for policy in given}
    return found


def allowed(statements: list[dict[str, Any]]) -> set[Permission]:
    """The permissions in statements: each action with its resource."""
    return {
        (action, name) for statement in statements for name in _resources(statement) for action in statement["Action"]
    }


def _resources(statement: dict[str, Any]) -> list[str]:
    """The resources of a statement; a bucket that it allows to list is each folder of the condition."""
    given = statement["Resource"]
    names = [_named(resource) for resource in (given if isinstance(given, list) else [given])]
    if statement["Action"] == ["s3:ListBucket"]:
        (bucket,), prefixes = names, statement["Condition"]["StringLikeIfExists"]["s3:prefix"]
        return [f"{bucket}/{prefix}" for prefix in prefixes]
    return names


def _named(resource: Any) -> str:
    match resource:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "").replace(".Arn}", "")
    raise AssertionError(f"not an exact resource: {resource}")


def test_roles__serve__one_function_each_with_nothing_beside_its_policies(functions, resources):
    roles = [properties["Role"]["Fn::GetAtt"][0] for properties in functions.values()]
    assert len(set(roles)) == len(roles)
    for name, properties in functions.items():
        assert "Policies" not in properties, f"{name}: SAM passes over them where there is a role"
        role = resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]
        assert set(role) == {"AssumeRolePolicyDocument", "Policies"}, name
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Principal"], trust["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole"), name


def test_runtime__may__write_its_own_logs_send_traces_and_give_up(functions, policies):
    for name, properties in functions.items():
        statements = {statement["Sid"]: statement for statement in policies[name]["runtime"]}
        logs = statements.pop("WriteOwnLogs")
        assert logs["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"], name
        assert logs["Resource"] == {"Fn::GetAtt": [properties["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]}, name
        traces = statements.pop("SendTraces")
        assert traces["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], name
        assert traces["Resource"] == "*", "X-Ray knows no resources"
        if "EventInvokeConfig" in properties:
            queue = properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
            given_up = statements.pop("GiveUpRuns")
            assert (given_up["Action"], given_up["Resource"]) == (["sqs:SendMessage"], queue), name
        for event in properties["Events"].values():
            if event["Type"] == "SQS":
                taken = statements.pop("TakeMessages")
                assert taken["Action"] == ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], name
                assert taken["Resource"] == event["Properties"]["Queue"], name
        assert not statements, name


def test_policies__name__exact_actions_and_resources(policies, resources):
    for name, given in policies.items():
        assert set(given) == {"code", "runtime"}, name
        for statement in given["code"]:
            assert statement["Effect"] == "Allow", name
            assert "*" not in json.dumps(statement["Action"]), name
        for action, resource in allowed(given["code"]):
            if action.startswith("s3:"):
                bucket, folder, rest = resource.split("/")
                assert resources[bucket]["Type"] == "AWS::S3::Bucket", name
                assert (folder.replace("_", "").isalpha(), rest) == (True, "*"), name
                continue
            assert "*" not in resource, name
            table, _, index = resource.partition("/index/")
            indexes = resources[table]["Properties"].get("GlobalSecondaryIndexes", [])
            assert not index or index in {given["IndexName"] for given in indexes}, name


class Workspace:
    """The product on empty tables; records the calls of its functions."""

    def __init__(self, stack: Stack, calls: Calls) -> None:
        self.calls = calls
        self.invoke = calls.by(Lambdas(stack.functions, ROOT).invoke)
        self._gateway = Gateway(stack.routes, None, self.invoke)

    def request(self, method: str, target: str, body: object = None, status: int = 200) -> Any:
        headers = (("authorization", f"Bearer {ADMIN_KEY}"), ("content-type", "application/json"))
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self._gateway.answer(Request(method, target, headers, sent))
        assert answer.status == status, answer.body
        return json.loads(answer.body)

    def events(self, first: int, count: int, day: datetime) -> None:
        """Send events of acme, from the day's first second on, a minute apart."""
        times = [day + timedelta(seconds=1, minutes=number) for number in range(first, first + count)]
        events = [{"account_id": "acme", "name": "seen", "user_id": "ada", "timestamp": at.isoformat()} for at in times]
        self.request("POST", "/v1/events", {"events": events})

    def person_who_joins_later(self, day: datetime) -> None:
        """Send enough events of a person without an account to seal blocks, then the person's `group` call."""
        times = [(day + timedelta(seconds=second)).isoformat() for second in range(600)]
        tracks = [{"type": "track", "event": "seen", "userId": "eve", "timestamp": time} for time in times]
        self.request("POST", "/v1/batch", {"batch": tracks})
        known = {"userId": "eve", "traits": {"email": "eve@example.com"}, "timestamp": times[0]}
        self.request("POST", "/v1/identify", known)
        self.request("POST", "/v1/group", known | {"groupId": "acme", "traits": {"plan": "pro"}})

    def webhook(self, headers: dict[str, str], body: bytes) -> None:
        """Deliver a CRM's webhook."""
        answer = self._gateway.answer(Request("POST", "/v1/crm/hubspot/webhook", tuple(headers.items()), body))
        assert answer.status == 200, answer.body

    def night(self, event: dict[str, Any]) -> None:
        self.invoke("NightlyFunction", json.dumps(event))


@pytest.fixture
def workspace(stack, topic_arn, bucket) -> Iterator[Workspace]:
    tables = ("Accounts", "Activity", "History", "Settings")
    logical_ids = {os.environ[f"{table.upper()}_TABLE"]: f"{table}Table" for table in tables}
    queue = os.environ["ERASURE_QUEUE_URL"]
    calls = Calls(logical_ids | {topic_arn: "AlertsTopic", bucket: "DatasetBucket", queue: "ErasureQueue"})
    with calls.noted():
        keys.add(ADMIN_KEY, Scope.ADMIN, "test", datetime.now(UTC))
        yield Workspace(stack, calls)


def live(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use every part of the product once, with the faults in which the code makes further calls."""
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    noon = (yesterday + timedelta(hours=12)).isoformat().replace("+00:00", "Z")
    workspace.request("PUT", "/v1/settings", {"timezone": "UTC", "milestones": ["seen"]})
    workspace.events(0, 1000, yesterday)
    _forget(monkeypatch)
    workspace.events(1000, 5, yesterday)
    workspace.person_who_joins_later(yesterday)
    _names_without_room(workspace, yesterday)
    _raise_retention(workspace, yesterday)
    workspace.request("PUT", "/v1/accounts/acme", {"name": "Acme", "owner": "Kim"})
    workspace.request("PUT", "/v1/accounts/acme/crm", {"open_tickets": 0})
    for view in ("", "/history", f"/health?as_of={noon}"):
        workspace.request("GET", f"/v1/accounts/acme{view}")

    waiting = {"event": "seen", "userId": "eva", "timestamp": yesterday.isoformat()}
    workspace.request("POST", "/v1/track", waiting)
    with monkeypatch.context() as accident:  # as by a process that crashes: the night settles the event
        accident.setattr(settle, "settle", _unavailable)
        with pytest.raises(StorageUnavailableError):
            tell(grouped=[("ueva", 0, "acme")])

    at_midnight = {"event": "seen", "userId": "eve", "timestamp": (yesterday + timedelta(days=1)).isoformat()}
    workspace.request("POST", "/v1/track", at_midnight)
    workspace.events(0, 1, yesterday + timedelta(days=1))
    _request_lists(workspace, yesterday)

    with monkeypatch.context() as accident:
        accident.setattr(accounts, "commit_score", _unavailable)
        with pytest.raises(FunctionError):
            workspace.night({"time": noon})
    with monkeypatch.context() as accident:
        accident.setattr(accounts, "commit_score", _overtaken_once(accounts.commit_score))
        workspace.night({"time": noon})
    # Held by a night that has not finished.
    messages.add(messages.Message("acme", "2999-01-01-silent-0", yesterday, {"day": "2999-01-01"}, messages.HELD))
    workspace.night({"task": "outbox"})
    started = json.loads(
        workspace.invoke("NightlyFunction", json.dumps({"task": "start", "event": {}, "execution": "x"}))
    )
    with monkeypatch.context() as accident:
        accident.setattr(accounts, "commit_score", _unavailable)  # so that the night names an account
        for task in ({"task": "segment", "segment": 0, "chunk": 0, "resume": None}, {"task": "finish"}):
            workspace.night(started | task)
    _keep_dataset(workspace)
    workspace.night({"date": (yesterday - timedelta(days=1)).date().isoformat()})
    workspace.request("PATCH", "/v1/accounts/acme", {"champions": ["someone-else"]})
    for view in ("/signals", "/findings", "/decisions", "/people"):
        workspace.request("GET", f"/v1/accounts/acme{view}")
    alert = alert_id(AlertKind.BAND_FELL, yesterday.date(), "acme")
    workspace.request("POST", f"/v1/alerts/{alert}/acknowledge", {"by": "Kim"})


def _keep_dataset(workspace: Workspace) -> None:
    """Make a dataset, and have the next one tidy up after a writer that died."""
    workspace.night({"task": "dataset"})
    now = datetime.now(UTC)
    for days in (0, 1, 20):  # of the oldest, nothing else is known
        manifests.lock(now.date() - timedelta(days=days), now, now - timedelta(hours=1))
    workspace.night({"task": "dataset"})
    for asked in ("", f"?night={now.date()}"):
        workspace.request("GET", f"/v1/export{asked}")
    _page_through_the_book(workspace)


def _page_through_the_book(workspace: Workspace) -> None:
    """Read two pages, with changes before and between them, and a night as CSV."""
    workspace.request("PUT", "/v1/accounts/acme", {"name": "Acme", "owner": "Kim"})
    page = workspace.request("GET", "/v1/accounts?limit=1")
    workspace.request("PUT", "/v1/accounts/acme", {"name": "Acme Corp", "owner": "Kim"})
    workspace.request("GET", f"/v1/accounts?limit=1&cursor={page['next_cursor']}")
    workspace.request("GET", "/v1/export?format=csv")
    for made in ("nights", "summary"):
        workspace.request("GET", f"/v1/{made}")


def _leave_exports() -> None:
    """Leave what readers leave, with an account that is being erased."""
    at = datetime.now(UTC) - timedelta(hours=2)
    line = staged_line(AccountNight(Account("buried", at, {}, None, {}, None, ()), at.date(), at, at, None))
    bucket_of.put(layout.walk_name("x"), gzip.compress(line))
    bucket_of.put(f"{layout.CSVS}x.csv", line)


def _erase_from_dataset(workspace: Workspace) -> None:
    """Have the eraser find rows of an account in a night and in what workers have left, and a writer that died."""
    now = datetime.now(UTC) - timedelta(hours=2)
    worker = Worker("under way", 0, 0)
    staging = Staging(worker, now.date(), now, now, attributes=())
    staging.add(Account("buried", now, {}, None, {}, None, ()), None)
    staging.leave()
    run = worker._replace(run="done")
    staged = Staging(run, now.date(), now, now, attributes=())
    staged.add(Account("buried", now, {}, None, {}, None, ()), None)
    staged.leave()
    writing.publish("done", [run], writing.Night(now.date() - timedelta(days=9), now), now, now)
    manifests.lock(now.date() - timedelta(days=8), now, now)
    history.put_snapshots({"buried": Snapshot(now.date(), now, 68, Band.AT_RISK, {}, {})})
    tombstones.put("buried", now + timedelta(hours=1))
    _leave_exports()
    workspace.invoke("EraseDatasetFunction", (ROOT / "events" / "erase_dataset.json").read_text())
    tombstones.put("buried", datetime.now(UTC) + timedelta(hours=1))
    workspace.request("GET", "/v1/export?format=csv", status=503)
    _leave_exports()
    workspace.night({"task": "dataset"})


def _names_without_room(workspace: Workspace, day: datetime) -> None:
    """Send event names for which an item has no room, one of them a milestone, to items that are full and not."""
    sent = [{"account_id": "wordy", "name": name, "timestamp": day.isoformat()} for name in names.LONG]
    workspace.request("POST", "/v1/events", {"events": sent})
    tracks = [{"type": "track", "event": name, "userId": "eve", "timestamp": day.isoformat()} for name in names.LONG]
    workspace.request("POST", "/v1/batch", {"batch": tracks})
    workspace.request("PUT", "/v1/settings", {"milestones": ["seen", names.LONG[-1]]})
    workspace.request("GET", "/v1/accounts/wordy/health")
    names.fill("wordy")
    workspace.request("POST", "/v1/events", {"events": [{**sent[0], "name": "another"}]})
    names.fill("wordy")
    workspace.request("PUT", "/v1/accounts/wordy", {"name": "Wordy"})
    names.fill("wordy")  # for the night


def _raise_retention(workspace: Workspace, day: datetime) -> None:
    """Add to days with blocks that were to expire earlier."""
    for retention_days, (first, end) in {30: (0, 600), 500: (600, 610)}.items():
        workspace.request("PUT", "/v1/settings", {"retention_days": retention_days})
        process.forget()
        times = [(day + timedelta(seconds=number)).isoformat() for number in range(first, end)]
        events = [{"account_id": "raised", "name": "seen", "timestamp": time} for time in times]
        workspace.request("POST", "/v1/events", {"events": events})
        tracks = [{"type": "track", "event": "seen", "userId": "kim", "timestamp": time} for time in times]
        workspace.request("POST", "/v1/batch", {"batch": tracks})
    workspace.request("POST", "/v1/group", {"userId": "kim", "groupId": "raised", "timestamp": day.isoformat()})


def _request_lists(workspace: Workspace, yesterday: datetime) -> None:
    """Request every list of accounts and alerts."""
    day, words = yesterday.date(), ("Acme fell", "It fell.", (), "Call.")
    alert = Alert("x", "acme", AlertKind.BAND_FELL, Severity.LOW, day, yesterday, *words)
    alert = replace(alert, alert_id=alert_id(alert.kind, day, "acme"))
    messages.add(messages.Message("acme", alert.alert_id, yesterday, alert.to_json(), messages.SENT))
    for listed in ("accounts?owner=Kim", "summary", f"alerts?date={day}", "accounts/acme/alerts"):
        workspace.request("GET", f"/v1/{listed}")


def _erased_meanwhile(account: Account, *_: object, **__: object) -> None:
    now = datetime.now(UTC)
    erasing.mark(account.account_id, now)
    assert erasing.erase(account.account_id, now, lambda: True)[1]
    raise AccountErasedError


def _erase(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erase a user and an account, and let the night finish interrupted erasures."""
    now = datetime.now(UTC)
    connections.connect("hubspot", {}, now)
    for doomed in ("half-gone", "acme"):
        workspace.request("PUT", f"/v1/accounts/{doomed}", {"name": "Other"})
        workspace.request("PUT", f"/v1/accounts/{doomed}", {"name": "Doomed", "champions": ["ada"]})
        tell(grouped=[("uada", 0, doomed)], identified=[("aada", 0, "uada")])
    workspace.request("PUT", "/v1/accounts/half-gone/crm", {"open_tickets": 0})
    tell(grouped=[("uada", 1, "acme"), ("uada", 2, "elsewhere")])
    erasing.mark("half-gone", now)
    pending_users.begin("acme", "ada")
    with monkeypatch.context() as accident:
        accident.setattr(accounts, "commit_score", _erased_meanwhile)
        workspace.night({"date": (now - timedelta(days=1)).date().isoformat()})
    workspace.request("PUT", "/v1/accounts/acme", {"champions": ["eve"]})
    workspace.request("PUT", "/v1/accounts/acme/crm", {"open_tickets": 0})
    workspace.request("DELETE", "/v1/accounts/acme/users/eve")
    tell(grouped=[("uada", 0, "acme")])
    digests.add(
        Alert("2999-01-01-digest", None, AlertKind.DIGEST, Severity.LOW, now.date(), now, "", "", (), ""), ["acme"]
    )
    workspace.request("DELETE", "/v1/accounts/acme")
    tell(grouped=[("uada", 0, "moved-from"), ("uada", 5, "moved-to")])
    commit(acted("e1", "uada", 0), acted("e2", "uada", 6))
    workspace.request("DELETE", "/v1/accounts/moved-from")
    tell(grouped=[("uada", 0, "left-over")])
    workspace.request("DELETE", "/v1/accounts/left-over")


def _merge(workspace: Workspace, day: datetime) -> None:
    """Merge an account with a CRM's company and enough events for blocks, and have the night finish another merge."""
    for account_id, into in (("acme-old", "acme"), ("acme-older", "acme")):
        times = [(day + timedelta(seconds=second)).isoformat() for second in range(600)]
        calls = [
            {"type": "track", "event": "seen", "userId": "eve", "timestamp": time, "groupId": account_id}
            for time in times
        ]
        workspace.request("POST", "/v1/batch", {"batch": calls})
        workspace.night({"date": day.date().isoformat()})
        claim = crm_companies.CompanyRecord(account_id, "[null,[]]", claim=account_id, account_id=account_id)
        crm_companies.add_claim("hubspot", account_id, account_id, by_hand=True)
        crm_companies.save_company("hubspot", claim)
        names.fill(account_id)
        if account_id == "acme-old":
            workspace.request("POST", f"/v1/accounts/{account_id}/merge", {"into": into})
        else:
            merging.begin(account_id, into, ())
    workspace.events(2000, 5, day - timedelta(days=1))  # over by now at any hour
    workspace.night({})


def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty the cache of sealed parts, as in a new process."""
    monkeypatch.setattr(commit_shard, "sealed_parts", SealedCache())


def _unavailable(*_: object, **__: object) -> None:
    raise StorageUnavailableError("gone for a moment")


def _overtaken_once(save: Callable[..., None]) -> Callable[..., None]:
    """Saves the first score with an outdated account, as after a concurrent change."""
    overtaken: list[Account] = []

    def commit(account: Account, *score: Any, **how: Any) -> None:
        if not overtaken:
            overtaken.append(account)
            account = replace(account, scores_version="outdated")
        save(account, *score, **how)

    return commit


@pytest.fixture
def made(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, set[Permission]]:
    """The calls of the functions as permissions, by function."""
    live(workspace, monkeypatch)
    with crm.connected(datetime.now(UTC), monkeypatch) as hubspot:
        names = {"CRM_SECRET_ARN": "CrmSecret", "CRM_WEBHOOK_SECRET_ARN": "CrmWebhookSecret"}
        names["CRM_QUEUE_URL"] = "CrmQueue"
        workspace.calls.know({os.environ[variable]: name for variable, name in names.items()})
        crm.live(hubspot, workspace.request, workspace.invoke, workspace.webhook, lambda: _forget(monkeypatch))
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    connections.connect("hubspot", {}, yesterday)
    _merge(workspace, yesterday)
    _erase(workspace, monkeypatch)
    _erase_from_dataset(workspace)
    return workspace.calls.made


def test_policies__allow__each_function_exactly_what_it_does(policies, made):
    permitted = {name: allowed(given["code"]) for name, given in policies.items()}
    assert made == {name: permissions for name, permissions in permitted.items() if permissions}


SETTINGS = "SettingsTable"


def partitions(statement: dict[str, Any]) -> list[str]:
    """The partitions of the settings table that a statement allows; a star at the end stands for any text."""
    (found,) = [
        values
        for operator, keys in statement["Condition"].items()
        for name, values in keys.items()
        if (operator, name) == ("ForAllValues:StringLike", "dynamodb:LeadingKeys")
    ]
    return list(found)


def test_policies__of_the_settings_table__allow_each_function_its_own_partitions(policies, made, workspace):
    for name, given in policies.items():
        allowing = [statement for statement in given["code"] if SETTINGS in _resources(statement)]
        allow = {
            (action, partition): any(action in one["Action"] and _covers(one, partition) for one in allowing)
            for action, resource, partition in workspace.calls.partitions[name]
            if resource == SETTINGS
        }
        assert [call for call, is_allowed in allow.items() if not is_allowed] == [], name
        used = {partition for _, partition in allow}
        for statement in allowing:
            needless = [one for one in partitions(statement) if not any(fnmatchcase(key, one) for key in used)]
            assert needless == [], (name, statement["Sid"])


def _covers(statement: dict[str, Any], partition: str) -> bool:
    return any(fnmatchcase(partition, pattern) for pattern in partitions(statement))


def test_policies__of_no_function__let_it_write_an_api_key(policies):
    for name, given in policies.items():
        for statement in given["code"]:
            if SETTINGS in _resources(statement) and _covers(statement, "key"):
                assert statement["Action"] == ["dynamodb:GetItem"], name


ITEM_ACTIONS = ["BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query"]


def test_policies__of_the_settings_table__allow_actions_that_name_their_partitions_alone(policies):
    """`ForAllValues` holds where a call names no partition at all, as scans and statements in PartiQL do."""
    named = {f"dynamodb:{action}" for action in [*ITEM_ACTIONS, "UpdateItem"]}
    for name, given in policies.items():
        for statement in given["code"]:
            if any(resource.partition("/")[0] == SETTINGS for resource in _resources(statement)):
                assert set(statement["Action"]) <= named, name
                assert _resources(statement) == [SETTINGS], name


def test_policies__of_ingest__let_it_change_no_setting(policies):
    (statement,) = [one for one in policies["IngestFunction"]["code"] if one["Sid"] == "FixTimezone"]
    written = statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert set(written) == {"pk", "sk", "version", "timezone_fixed"}


def test_policies__of_the_webhooks_function__let_it_read_no_token(policies):
    assert [name for name, given in policies.items() if _reads(given["code"], "CrmWebhookSecret")] == [
        "CrmWebhookFunction"
    ]
    assert not _reads(policies["CrmWebhookFunction"]["code"], "CrmSecret")


def _reads(statements: list[dict[str, Any]], secret: str) -> bool:
    return ("secretsmanager:GetSecretValue", secret) in allowed(statements)
