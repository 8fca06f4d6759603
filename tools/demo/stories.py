"""The customers of the demo workspace, and what happens to them."""

from __future__ import annotations

from tools.demo.early_warning import EARLY_WARNING
from tools.demo.story import CONNECTED, MAYA, PRIYA, TOM, CrmReport, Story, milestones
from tools.demo.usage import Moment, Phase

_HUBSPOT = {"provider": "hubspot", "active_deal": True}
_SALESFORCE = {"provider": "salesforce", "active_deal": True, "last_meeting_at": 48, "deal_updated_at": 18}

BY_SCORE = (
    Story(
        account_id="brightpath",
        name="Brightpath Learning",
        plot="thriving",
        owner=MAYA,
        plan="enterprise",
        arr=84_000,
        renews_in=212,
        users=("ana.ruiz", "ben.castle", "chloe.meyer", "david.osei", "emi.tanaka", "farid.haddad"),
        phases=(Phase(75, 0, visits=3, events=(10, 15), minutes=(6, 14), weekends=False),),
        moments=milestones(75, 74, 70),
        crm=(
            CrmReport(15, {**_HUBSPOT, "open_tickets": 1, "last_meeting_at": 27, "deal_updated_at": 40}),
            CrmReport(0, {**_HUBSPOT, "open_tickets": 0, "last_meeting_at": 6, "deal_updated_at": 9}),
        ),
    ),
    Story(
        account_id="harborline",
        name="Harborline Logistics",
        plot="drifting down for three weeks",
        owner=TOM,
        plan="business",
        arr=46_800,
        renews_in=64,
        users=("gus.petersen", "hana.kim", "ivo.marek", "jane.doyle"),
        phases=(
            Phase(70, 24, visits=1, events=(8, 11), minutes=(5, 7), every=2),
            Phase(23, 12, visits=1, events=(2, 3), minutes=(1, 2), every=2),
            Phase(11, 3, visits=1, events=(1, 1), minutes=(0, 0), every=4),
        ),
        moments=milestones(70, 69, 60),
    ),
    Story(
        account_id="pinecrest",
        name="Pinecrest Dental Group",
        plot="silent for nine days",
        owner=PRIYA,
        plan="business",
        arr=31_200,
        renews_in=118,
        users=("kate.lowell", "liam.ortiz", "mia.fischer"),
        phases=(Phase(66, 9, visits=1, events=(4, 6), minutes=(3, 5), every=2),),
        moments=milestones(66, 65),
    ),
    Story(
        account_id="tidewater",
        name="Tidewater Hotels",
        plot="gone quiet a week ago today",
        owner=TOM,
        plan="business",
        arr=58_500,
        renews_in=37,
        users=("nora.blake", "omar.said", "paula.weiss"),
        phases=(Phase(80, 9, visits=1, events=(5, 7), minutes=(3, 6), every=3),),
        moments=(*milestones(80, 79, 71), Moment(7, "signed_in", before_now=True)),
    ),
    Story(
        account_id="copperleaf",
        name="Copperleaf Foods",
        plot="stuck in onboarding",
        owner=PRIYA,
        plan="starter",
        arr=7_200,
        renews_in=340,
        users=("quinn.avery", "rosa.lima"),
        phases=(
            Phase(31, 28, visits=1, events=(2, 3), minutes=(1, 2), every=2),
            Phase(3, 3, visits=1, events=(1, 1), minutes=(0, 0)),
        ),
        moments=milestones(32),
    ),
    Story(
        account_id="kestrel",
        name="Kestrel Games",
        plot="a burst after its launch",
        owner=MAYA,
        plan="business",
        arr=39_000,
        renews_in=173,
        users=("sam.teo", "tara.novak", "uma.iyer", "victor.chen", "wendy.holt"),
        phases=(
            Phase(62, 12, visits=1, events=(2, 4), minutes=(1, 3), every=6),
            Phase(11, 9, visits=9, events=(14, 22), minutes=(8, 16)),
            Phase(8, 1, visits=1, events=(2, 4), minutes=(1, 3), every=3),
        ),
        moments=milestones(62, 50, 12),
    ),
    Story(
        account_id="vantage/emea",
        name="Vantage Retail EMEA",
        plot="good usage, trouble in the CRM",
        owner=TOM,
        plan="enterprise",
        arr=96_000,
        renews_in=41,
        users=("xenia.popov", "yusuf.demir", "zoe.martin"),
        phases=(Phase(85, 1, visits=1, events=(4, 5), minutes=(4, 5), every=3),),
        moments=milestones(85, 84),
        crm=(
            CrmReport(15, {**_SALESFORCE, "open_tickets": 0}),
            CrmReport(0, {**_SALESFORCE, "open_tickets": 4, "high_priority_open": 1}),
        ),
    ),
    Story(
        account_id="fjordline",
        name="Fjordline Analytics",
        plot="back after a quiet month",
        owner=PRIYA,
        plan="business",
        arr=28_600,
        renews_in=255,
        users=("aksel.berg", "birgit.dahl", "carl.nyman"),
        phases=(
            Phase(78, 40, visits=1, events=(6, 10), minutes=(4, 8), every=2),
            Phase(9, 1, visits=1, events=(4, 6), minutes=(5, 7), every=2),
        ),
        moments=(*milestones(78, 76), Moment(0, CONNECTED, before_now=True)),
    ),
    Story(
        account_id="lumen",
        name="Lumen Studio",
        plot="signed up two days ago",
        owner=MAYA,
        plan="trial",
        arr=0,
        renews_in=12,
        users=("dora.klein", "eli.stone"),
        phases=(Phase(2, 0, visits=1, events=(5, 9), minutes=(4, 10)),),
        moments=milestones(2, 1),
    ),
)
"""Tonight has alerts, at any hour of the day: Harborline's trend turns to declining, Pinecrest and Vantage (because of
its CRM facts) are no longer healthy, Tidewater has had no event for seven days, and Fjordline is healthy again."""

STORIES = (*BY_SCORE, *EARLY_WARNING)
