"""Customers whose use weakens, each as another detector of early warning sees it; and some whose use does not."""

from __future__ import annotations

from types import MappingProxyType

from tools.demo.story import MAYA, PRIYA, TOM, CrmReport, Story, milestones
from tools.demo.usage import Phase, Weeks

SETTINGS = MappingProxyType(
    {
        "value_events": ["task_completed"],
        "integrations": {"Jira": ["jira_issue_synced"], "ERP": ["order_imported"]},
        "features": {
            "dashboards": ["dashboard_viewed", "filter_saved"],
            "reports": ["report_viewed", "export_downloaded", "schedule_changed"],
            "tasks": ["task_created", "task_completed"],
            "comments": ["comment_added"],
            "files": ["file_uploaded"],
            "team": ["user_invited"],
            "automations": ["automation_run"],
        },
        "escalation_owner": "Maya Okafor",
    }
)
"""What the made-up product is bought for, and what it is made of."""

_MON, _TUE, _WED, _THU, _FRI = range(5)
_WEEKDAYS = (_MON, _TUE, _WED, _THU, _FRI)
_LOOK = ("report_viewed", "dashboard_viewed")
_WORK = (*_LOOK, "task_completed", "task_completed")
_LONG_AGO = milestones(140, 138, 133)

_OAKFIELD = ("amir.shah", "bea.lorenz")
_MERIDIAN = ("lena.hoff", "mats.eide", "nina.rossi")
_SOLSTICE = ("marc.riva", "olga.brandt", "pete.quinn")
_BELLWEATHER = ("rita.moss", "saul.kerr", "tess.vance")
_LARKSPUR = ("uri.stein", "vera.lund")
_IRONBRIDGE = ("walt.greer", "yara.costa")

EARLY_WARNING = (
    Story(
        account_id="oakfield",
        name="Oakfield Insurance",
        plot="comes as often, completes few tasks",
        owner=MAYA,
        plan="enterprise",
        arr=72_000,
        renews_in=95,
        users=_OAKFIELD,
        phases=(
            Weeks(17, 5, (_MON, _TUE, _WED, _THU), _WORK, _OAKFIELD),
            Weeks(4, 0, (_MON,), (*_LOOK, "task_completed"), _OAKFIELD),
            Weeks(4, 0, (_TUE, _WED, _THU), _LOOK, _OAKFIELD),
        ),
        moments=_LONG_AGO,
    ),
    Story(
        account_id="ferrous",
        name="Ferrous Metals",
        plot="an API; its Jira integration stopped",
        owner=TOM,
        plan="business",
        arr=33_600,
        renews_in=77,
        users=(),
        phases=(
            Weeks(17, 0, _WEEKDAYS, ("order_imported", "order_imported")),
            Weeks(17, 4, (_MON, _WED, _FRI), ("jira_issue_synced", "jira_issue_synced")),
        ),
        moments=_LONG_AGO,
        about={"usage_channel": "api"},
    ),
    Story(
        account_id="meridian",
        name="Meridian Freight",
        plot="only its champion still comes",
        owner=TOM,
        plan="business",
        arr=41_000,
        renews_in=58,
        users=_MERIDIAN,
        phases=(
            Weeks(17, 5, _WEEKDAYS, _WORK, _MERIDIAN),
            Weeks(4, 0, (_TUE,), (*_LOOK, "task_completed"), _MERIDIAN[:1]),
        ),
        moments=_LONG_AGO,
        about={"champions": list(_MERIDIAN[:1])},
    ),
    Story(
        account_id="solstice",
        name="Solstice Energy",
        plot="champion gone, the others come less",
        owner=MAYA,
        plan="enterprise",
        arr=118_000,
        renews_in=83,
        users=_SOLSTICE,
        phases=(
            Weeks(18, 6, _WEEKDAYS, _WORK, _SOLSTICE),
            Weeks(5, 0, (_MON, _THU), (*_LOOK, "task_completed"), _SOLSTICE[1:]),
        ),
        moments=_LONG_AGO,
        about={"champions": list(_SOLSTICE[:1])},
    ),
    Story(
        account_id="bluewater",
        name="Bluewater Ferries",
        plot="came every day, until ten days ago",
        owner=TOM,
        plan="enterprise",
        arr=64_000,
        renews_in=130,
        users=("abel.ford", "britt.nash", "cleo.park"),
        phases=(Phase(103, 11, visits=1, events=(4, 5), minutes=(6, 9)),),
        moments=milestones(103, 101, 99),
    ),
    Story(
        account_id="mossgate",
        name="Mossgate Fitness",
        plot="came every week, overdue now",
        owner=PRIYA,
        plan="starter",
        arr=6_600,
        renews_in=148,
        users=("dirk.olsen",),
        phases=(Phase(139, 34, visits=1, events=(1, 1), minutes=(0, 0), every=7),),
        moments=milestones(139, 139),
    ),
    Story(
        account_id="quarry-lane",
        name="Quarry Lane Schools",
        plot="nobody has come for seven weeks",
        owner={},
        plan="business",
        arr=21_500,
        renews_in=29,
        users=("elsa.brook",),
        phases=(Phase(163, 51, visits=1, events=(3, 4), minutes=(4, 8), every=7),),
        moments=milestones(163, 163),
    ),
    Story(
        account_id="bellweather",
        name="Bellweather Bank",
        plot="falls again before it was back",
        owner=MAYA,
        plan="enterprise",
        arr=90_000,
        renews_in=160,
        users=_BELLWEATHER,
        phases=(
            Weeks(24, 13, _WEEKDAYS, _LOOK, _BELLWEATHER),
            Weeks(12, 11, (_WED,), _LOOK, _BELLWEATHER),
            Weeks(10, 5, (_MON, _TUE, _THU), _LOOK, _BELLWEATHER),
            Weeks(10, 5, (_FRI,), _LOOK, _BELLWEATHER[:1]),
            Weeks(4, 0, (_WED,), _LOOK, _BELLWEATHER),
        ),
        moments=milestones(180, 176, 175),
    ),
    Story(
        account_id="redwood",
        name="Redwood Components",
        plot="falls, and faster each month",
        owner=TOM,
        plan="business",
        arr=27_000,
        renews_in=112,
        users=("fay.dunn", "gil.hart"),
        phases=(
            Phase(124, 57, visits=1, events=(1, 1), minutes=(0, 0)),
            Phase(56, 29, visits=1, events=(1, 1), minutes=(0, 0), every=3),
            Phase(55, 29, visits=1, events=(1, 1), minutes=(0, 0), every=3),
            Phase(26, 1, visits=1, events=(1, 1), minutes=(0, 0), every=7),
        ),
        moments=milestones(124, 123, 122),
    ),
    Story(
        account_id="ashdown",
        name="Ashdown Libraries",
        plot="fades over a year",
        owner=PRIYA,
        plan="starter",
        arr=9_800,
        renews_in=44,
        users=("hugo.lane",),
        phases=(
            Weeks(49, 37, (_MON, _TUE, _WED, _THU), _LOOK, ("hugo.lane",)),
            Weeks(36, 32, (_MON, _TUE, _WED), _LOOK, ("hugo.lane",)),
            Weeks(31, 26, (_MON, _WED), _LOOK, ("hugo.lane",)),
            *(Weeks(week, week, (_MON,), _LOOK, ("hugo.lane",)) for week in range(24, 13, -2)),
            Weeks(25, 0, (_WED,), _LOOK, ("hugo.lane",)),
        ),
        moments=milestones(355, 355),
    ),
    Story(
        account_id="corvid",
        name="Corvid Press",
        plot="its champion has not been seen",
        owner=PRIYA,
        plan="business",
        arr=24_000,
        renews_in=66,
        users=("ines.duarte", "paul.ek", "sara.bloom"),
        phases=(
            Weeks(17, 5, (_MON, _WED, _FRI), _LOOK, ("ines.duarte",)),
            Weeks(17, 0, (_MON, _WED, _FRI), _LOOK, ("paul.ek", "sara.bloom")),
        ),
        moments=_LONG_AGO,
    ),
    Story(
        account_id="larkspur",
        name="Larkspur Media",
        plot="twice as many days, and a new feature",
        owner=MAYA,
        plan="business",
        arr=30_000,
        renews_in=240,
        users=_LARKSPUR,
        phases=(
            Weeks(17, 5, (_TUE, _THU), (*_LOOK, "task_completed"), _LARKSPUR),
            Weeks(4, 0, (_MON, _TUE, _WED, _THU), (*_LOOK, "task_completed"), _LARKSPUR),
            Weeks(4, 0, (_WED,), ("automation_run",), _LARKSPUR[:1]),
        ),
        moments=_LONG_AGO,
    ),
    Story(
        account_id="ironbridge",
        name="Ironbridge Tools",
        plot="tickets pile up, two slow weeks",
        owner=TOM,
        plan="business",
        arr=36_000,
        renews_in=99,
        users=_IRONBRIDGE,
        phases=(
            Weeks(17, 3, (_MON, _TUE, _THU), (*_LOOK, "comment_added"), _IRONBRIDGE),
            Weeks(2, 0, (_TUE,), (*_LOOK, "comment_added"), _IRONBRIDGE),
        ),
        moments=_LONG_AGO,
        crm=(
            CrmReport(15, {"provider": "hubspot", "active_deal": True, "open_tickets": 5, "last_meeting_at": 24}),
            CrmReport(0, {"provider": "hubspot", "active_deal": True, "open_tickets": 5, "last_meeting_at": 9}),
        ),
        open_tickets={20: 1, 3: 5},
    ),
    Story(
        account_id="winterbourne",
        name="Winterbourne Audit",
        plot="comes once a quarter, as expected",
        owner=MAYA,
        plan="business",
        arr=15_000,
        renews_in=310,
        users=("ivy.cole", "jon.reyes"),
        phases=tuple(
            Phase(start, start - 1, visits=2, events=(3, 4), minutes=(20, 30)) for start in (330, 239, 148, 57)
        ),
        moments=milestones(330, 330),
        about={"expected_cadence_days": 91},
    ),
    Story(
        account_id="saltmarsh",
        name="Saltmarsh Hotels",
        plot="back for good after a silent spell",
        owner=PRIYA,
        plan="enterprise",
        arr=52_000,
        renews_in=188,
        users=("kurt.weber", "lou.ferris"),
        phases=(
            Phase(147, 36, visits=1, events=(2, 2), minutes=(5, 9)),
            Phase(23, 0, visits=1, events=(2, 2), minutes=(5, 9)),
        ),
        moments=milestones(147, 146, 140),
    ),
)
