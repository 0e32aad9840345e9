"""A team's description of itself, in the order and numbering of RFC 2350, appendix D. Pure: values in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.core.text import LANGUAGES, Text
from tansiq.members.values import shown

WIDTH = 72  # columns, as RFCs are set
CLAIMS_SHOWN = 200
SECTION_LIMIT = 20_000  # characters of one section in one language


class NoSuchSection(TansiqError):
    code = "members.profile.section"
    message = N_("RFC 2350 has no section {value} to write in.")
    remedy = N_("Use the numbers of its appendix D, for example 3.1.")
    exit_code = 2


class BadWords(TansiqError):
    code = "members.profile.words"
    message = N_("Section {section} is longer than {limit} characters or has characters that cannot be shown.")
    remedy = N_("Shorten it, and write plain text.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Section:
    """``drawn``: what the register itself can say here (a key of ``Facts``); empty where only the team can."""

    number: str
    heading: Text
    drawn: str = ""

    @property
    def chapter(self) -> bool:
        """A heading over others, without words of its own."""
        return self.number in {"1", "2", "3", "4", "5"}


SECTIONS = (
    Section("1", Text("معلومات الوثيقة", "Document Information", "Informations sur le document")),
    Section("1.1", Text("تاريخ آخر تحديث", "Date of Last Update", "Date de la dernière mise à jour"), "date"),
    Section("1.2", Text("قائمة توزيع الإشعارات", "Distribution List for Notifications",
                        "Liste de diffusion des notifications")),
    Section("1.3", Text("أماكن نشر هذه الوثيقة", "Locations where this Document May Be Found",
                        "Emplacements où trouver ce document")),
    Section("2", Text("معلومات الاتصال", "Contact Information", "Coordonnées")),
    Section("2.1", Text("اسم الفريق", "Name of the Team", "Nom de l'équipe"), "names"),
    Section("2.2", Text("العنوان", "Address", "Adresse"), "post"),
    Section("2.3", Text("المنطقة الزمنية", "Time Zone", "Fuseau horaire")),
    Section("2.4", Text("رقم الهاتف", "Telephone Number", "Numéro de téléphone"), "phone"),
    Section("2.5", Text("رقم الفاكس", "Facsimile Number", "Numéro de télécopie"), "fax"),
    Section("2.6", Text("وسائل اتصال أخرى", "Other Telecommunication", "Autres moyens de télécommunication"), "web"),
    Section("2.7", Text("البريد الإلكتروني", "Electronic Mail Address", "Adresse électronique"), "email"),
    Section("2.8", Text("المفاتيح العامة ومعلومات التشفير", "Public Keys and Encryption Information",
                        "Clés publiques et informations de chiffrement"), "keys"),
    Section("2.9", Text("أعضاء الفريق", "Team Members", "Membres de l'équipe")),
    Section("2.10", Text("معلومات أخرى", "Other Information", "Autres informations")),
    Section("2.11", Text("نقاط الاتصال للجهات المستفيدة", "Points of Customer Contact",
                         "Points de contact des bénéficiaires"), "hours"),
    Section("3", Text("الميثاق", "Charter", "Charte")),
    Section("3.1", Text("بيان المهمة", "Mission Statement", "Énoncé de la mission")),
    Section("3.2", Text("نطاق الخدمة", "Constituency", "Périmètre de service"), "constituency"),
    Section("3.3", Text("الرعاية والانتماء", "Sponsorship and/or Affiliation", "Parrainage et affiliation"),
            "memberships"),
    Section("3.4", Text("السلطة", "Authority", "Autorité")),
    Section("4", Text("السياسات", "Policies", "Politiques")),
    Section("4.1", Text("أنواع الحوادث ومستوى الدعم", "Types of Incidents and Level of Support",
                        "Types d'incidents et niveau d'assistance")),
    Section("4.2", Text("التعاون والتفاعل والإفصاح عن المعلومات",
                        "Co-operation, Interaction and Disclosure of Information",
                        "Coopération, interaction et divulgation d'informations")),
    Section("4.3", Text("الاتصال والتوثق", "Communication and Authentication", "Communication et authentification")),
    Section("5", Text("الخدمات", "Services", "Services")),
    Section("5.1", Text("الاستجابة للحوادث", "Incident Response", "Réponse aux incidents")),
    Section("5.1.1", Text("فرز الحوادث", "Incident Triage", "Tri des incidents")),
    Section("5.1.2", Text("تنسيق الحوادث", "Incident Coordination", "Coordination des incidents")),
    Section("5.1.3", Text("معالجة الحوادث", "Incident Resolution", "Résolution des incidents")),
    Section("5.2", Text("الأنشطة الاستباقية", "Proactive Activities", "Activités préventives")),
    Section("6", Text("نماذج الإبلاغ عن الحوادث", "Incident Reporting Forms", "Formulaires de signalement")),
    Section("7", Text("إخلاء المسؤولية", "Disclaimers", "Clauses de non-responsabilité")),
)  # fmt: skip
NUMBERS = tuple(section.number for section in SECTIONS if not section.chapter)
"""The sections that a team may write in."""

_NOTHING = Text("لم يُذكر شيء.", "Nothing is stated.", "Rien n'est indiqué.")
_TITLE = Text("وصف الفريق وفق RFC 2350", "Description of the team according to RFC 2350",
              "Description de l'équipe selon la RFC 2350")  # fmt: skip
_VERSION = Text("الإصدار {number}، {date}", "Version {number}, {date}", "Version {number}, {date}")
_MORE = Text("وغيرها: {count}.", "And others: {count}.", "Et d'autres : {count}.")
_DRAFT = Text("مسودة", "Draft", "Brouillon")
_KINDS = {
    "country": Text("الدولة", "Country", "Pays"),
    "asn": Text("رقم النظام المستقل", "AS number", "Numéro d'AS"),
    "cidr": Text("النطاق الشبكي", "Prefix", "Préfixe"),
    "domain": Text("اسم النطاق", "Domain", "Domaine"),
}
_MEMBERSHIPS = {
    "full": Text("عضو كامل العضوية", "Full Member", "Membre à part entière"),
    "general": Text("عضو عام", "General Member", "Membre général"),
    "affiliate": Text("عضو منتسب", "Affiliate Member", "Membre affilié"),
    "commercial": Text("عضو تجاري", "Commercial Member", "Membre commercial"),
    "professional": Text("عضو مهني", "Professional Member", "Membre professionnel"),
    "fellow": Text("زميل", "Fellow", "Fellow (membre émérite)"),
    "honorary": Text("عضو فخري", "Honorary Member", "Membre d'honneur"),
    "partner": Text("شريك", "Partner", "Partenaire"),
}
_DAY_AND_NIGHT = Text("على مدار الساعة", "24 hours a day, 7 days a week", "24 h/24, 7 j/7")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the register says of a team, as everybody may know it.

    Attributes:
        contacts: kind and value, in the team's order; public ones alone.
        around_the_clock: values of those that answer day and night.
        keys: fingerprints of OpenPGP certificates in use.
        claims: kind and value of verified claims; ``claims_count``: of all, when these are not all.
    """

    names: Text
    memberships: tuple[str, ...] = ()
    contacts: tuple[tuple[str, str], ...] = ()
    around_the_clock: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    claims_count: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """A draft (number 0, no date) or a published version. ``sections``: the team's own words by number."""

    team: str
    facts: Facts
    sections: Mapping[str, Text] = field(default_factory=dict)
    number: int = 0
    published_on: date | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A section as a page shows it: lines that the register drew, then the team's own words."""

    number: str
    heading: Text
    chapter: bool
    lines: tuple[str, ...]
    words: Text


def parts(profile: Profile, language: str) -> list[Part]:
    """Every section in order; ``language`` chooses the words around drawn facts."""
    return [
        Part(
            number=section.number,
            heading=section.heading,
            chapter=section.chapter,
            lines=tuple(_drawn(section.drawn, profile, language)) if section.drawn else (),
            words=profile.sections.get(section.number, Text()),
        )
        for section in SECTIONS
    ]


def profile_text(profile: Profile, language: str) -> str:
    """The profile as plain text of at most 72 columns, but for single words that are longer.

    A section that the team wrote in other languages alone says in brackets which one it is shown in.
    """
    blocks = ["\n".join(_wrapped(line, indent="") for line in _head(profile, language))]
    for part in parts(profile, language):
        heading = _wrapped(f"{part.number}. {part.heading.within(language)[0]}", indent="")
        body = list(part.lines)
        words, spoken = part.words.within(language)
        if words:
            body.extend([*([""] if body else []), *([f"[{spoken}]"] if spoken != language else []), words])
        if not body and not part.chapter:
            body = [_NOTHING.within(language)[0]]
        blocks.append("\n".join([heading, *([""] if body else []), *(_wrapped(text) for text in body)]))
    return "\n\n".join(blocks) + "\n"


def _head(profile: Profile, language: str) -> list[str]:
    name = profile.facts.names.within(language)[0] or profile.team
    version = (
        _VERSION.within(language)[0].format(number=profile.number, date=profile.published_on.isoformat())
        if profile.published_on
        else _DRAFT.within(language)[0]
    )
    return [f"{name} ({profile.team})", _TITLE.within(language)[0], version]


def _wrapped(text: str, indent: str = "   ") -> str:
    """Each line of ``text`` a paragraph. Words are never cut: an address cut in two reaches nobody."""
    lines = [
        textwrap.fill(
            line.strip(),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines() or [""]
    ]
    return "\n".join(line.rstrip() for line in lines)


def _drawn(what: str, profile: Profile, language: str) -> Iterator[str]:
    facts = profile.facts
    if what == "date":
        yield profile.published_on.isoformat() if profile.published_on else _DRAFT.within(language)[0]
    elif what == "names":
        yield from dict.fromkeys(filter(None, (getattr(facts.names, spoken) for spoken in LANGUAGES)))
        yield profile.team
    elif what == "keys":
        yield from (_in_fours(key) for key in facts.keys)
    elif what == "hours":
        yield from (f"{value} ({_DAY_AND_NIGHT.within(language)[0]})" for value in facts.around_the_clock)
    elif what == "memberships":
        yield from (_MEMBERSHIPS[category].within(language)[0] for category in facts.memberships)
    elif what == "constituency":
        yield from (f"{_KINDS[kind].within(language)[0]}: {_named(kind, value)}" for kind, value in facts.claims)
        if facts.claims_count > len(facts.claims):
            yield _MORE.within(language)[0].format(count=facts.claims_count - len(facts.claims))
    else:
        yield from (value for kind, value in facts.contacts if kind == what)


def _named(kind: str, value: str) -> str:
    return f"AS{value}" if kind == "asn" else value


def _in_fours(fingerprint: str) -> str:
    return " ".join(fingerprint[place : place + 4] for place in range(0, len(fingerprint), 4))


def stored(profile: Profile) -> dict[str, Any]:
    """As JSON keeps it."""
    return {
        "team": profile.team,
        "facts": asdict(profile.facts),
        "sections": {number: asdict(words) for number, words in profile.sections.items()},
        "number": profile.number,
        "published_on": profile.published_on.isoformat() if profile.published_on else None,
    }


def restored(said: Mapping[str, Any]) -> Profile:
    """What ``stored`` gave, again."""
    facts = dict(said["facts"])
    return Profile(
        team=said["team"],
        facts=Facts(
            names=Text.of(facts["names"]),
            memberships=tuple(facts["memberships"]),
            contacts=tuple((kind, value) for kind, value in facts["contacts"]),
            around_the_clock=tuple(facts["around_the_clock"]),
            keys=tuple(facts["keys"]),
            claims=tuple((kind, value) for kind, value in facts["claims"]),
            claims_count=facts["claims_count"],
        ),
        sections={number: Text.of(words) for number, words in said["sections"].items()},
        number=said["number"],
        published_on=date.fromisoformat(said["published_on"]) if said["published_on"] else None,
    )


def checked(number: str, words: Text) -> Text:
    """Plain text with ordinary line ends. Raises: NoSuchSection, BadWords."""
    if number not in NUMBERS:
        raise NoSuchSection(value=shown(number))
    plain = {}
    for language in LANGUAGES:
        text = "\n".join(getattr(words, language).strip().splitlines())
        if len(text) > SECTION_LIMIT or not all(c.isprintable() or c in "\n\t\u200c\u200d\u200e\u200f" for c in text):
            raise BadWords(section=number, limit=SECTION_LIMIT)
        plain[language] = text
    return Text.of(plain)
