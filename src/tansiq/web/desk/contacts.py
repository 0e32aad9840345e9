"""How a team is reached: kept in the team's own order, and confirmed as a whole."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tansiq.audit.actions import record_read
from tansiq.members import actions, queries, rules
from tansiq.members.models import Contact, Person, Team
from tansiq.members.queries.contacts import ContactEntry
from tansiq.members.queries.people import Member
from tansiq.web.desk.place import at_desk, at_team, did, team_at
from tansiq.web.directory import words
from tansiq.web.languages import see_other

AT_FIELD = {"members.contact.malformed": "value", "members.contact.double": "value"}


class ContactForm(forms.Form):
    kind = forms.ChoiceField(label=pgettext_lazy("contact", "Kind"), choices=list(words.CONTACT_KINDS.items()))
    value = forms.CharField(
        label=gettext_lazy("Address or number"),
        max_length=300,
        help_text=gettext_lazy("Telephone numbers with the country's code: +212 5 …"),
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    post = forms.ChoiceField(
        label=gettext_lazy("What it is for"),
        required=False,
        choices=[("", pgettext_lazy("contact", "nothing in particular")), *words.POSTS.items()],
    )
    hours = forms.ChoiceField(
        label=gettext_lazy("Answered"),
        required=False,
        choices=[("", pgettext_lazy("contact", "not stated")), *words.HOURS.items()],
    )
    person = forms.ChoiceField(label=gettext_lazy("Person behind it"), required=False)
    role = forms.CharField(label=gettext_lazy("Note on it"), max_length=100, required=False)
    public = forms.BooleanField(
        label=gettext_lazy("Show it to everybody"),
        required=False,
        help_text=gettext_lazy("Otherwise only to members who are signed in."),
    )

    def __init__(self, *args: Any, people: list[Member], **named: Any) -> None:
        super().__init__(*args, **named)
        nobody = [("", pgettext_lazy("contact", "nobody in particular"))]
        self.fields["person"].choices = nobody + [(member.code, member.name) for member in people]

    def clean_person(self) -> Person | None:
        code = self.cleaned_data["person"]
        return Person.objects.get(code=code) if code else None


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, code: str) -> HttpResponse:
    team = team_at(request, code)
    form = ContactForm(request.POST or None, people=_people(request, code))
    if request.method == "POST":
        rules.may_keep_contacts(team=code, by=request.viewer).require()
        if did(form, lambda clean: actions.add_contact(team, by=request.viewer, now=request.now, **clean), AT_FIELD):
            messages.success(request, _("The contact is kept."))
            return _back(code)
    return _shown(request, team, form, status=422 if form.is_bound else 200)


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, code: str, number: int) -> HttpResponse:
    team = team_at(request, code)
    rules.may_keep_contacts(team=code, by=request.viewer).require()
    contact = get_object_or_404(Contact.objects.select_related("team", "person"), team=team, pk=number)
    form = ContactForm(request.POST or None, people=_people(request, code), initial=_as_it_is(contact))
    act = lambda clean: actions.change_contact(contact, by=request.viewer, now=request.now, **clean)  # noqa: E731
    if request.method == "POST" and did(form, act, AT_FIELD):
        messages.success(request, _("The contact is kept."))
        return _back(code)
    status = 422 if form.is_bound else 200
    return at_team(request, "desk/contact.html", team, here="contacts", form=form, contact=contact, status=status)


@at_desk
@require_POST
def remove(request: HttpRequest, code: str, number: int) -> HttpResponse:
    contact = _contact(request, code, number)
    actions.remove_contact(contact, by=request.viewer, now=request.now)
    messages.success(request, _("The contact is gone."))
    return _back(code)


@at_desk
@require_POST
def move(request: HttpRequest, code: str, number: int) -> HttpResponse:
    contact = _contact(request, code, number)
    actions.move_contact(contact, up=request.POST.get("to") == "up", by=request.viewer, now=request.now)
    return _back(code)


@at_desk
@require_POST
def confirm(request: HttpRequest, code: str) -> HttpResponse:
    team = team_at(request, code)
    count = actions.confirm_contacts(team, by=request.viewer, now=request.now)
    sentence = ngettext("{count} contact is confirmed.", "{count} contacts are confirmed.", count)
    messages.success(request, sentence.format(count=count))
    return _back(code)


def _shown(request: HttpRequest, team: Team, form: ContactForm, *, status: int) -> HttpResponse:
    contacts = _entries(request, team.code)
    names = {code: name for code, name in form.fields["person"].choices if code}
    return at_team(
        request,
        "desk/contacts.html",
        team,
        here="contacts",
        status=status,
        form=form,
        rows=[(contact, names.get(contact.person, "")) for contact in contacts],
        flags=[
            flag for flag in queries.flags(request.viewer, team.code, now=request.now) if flag != "certificate.missing"
        ],
        confirmed_at=rules.last_confirmed(
            [rules.ContactFacts(each.kind, each.post, each.hours, each.confirmed_at) for each in contacts]
        ),
        may_keep=bool(rules.may_keep_contacts(team=team.code, by=request.viewer)),
        words=words,
    )


def _entries(request: HttpRequest, code: str) -> list[ContactEntry]:
    """That somebody of another team looked is on record, as on the team's own page."""
    contacts = queries.shown_contacts(request.viewer, [code])[code]
    if request.viewer.team != code and any(not contact.public for contact in contacts):
        record_read(("contacts", code), by=request.viewer, now=request.now)
    return contacts


def _people(request: HttpRequest, code: str) -> list[Member]:
    return queries.team_people(request.viewer, code, now=request.now)


def _contact(request: HttpRequest, code: str, number: int) -> Contact:
    team_at(request, code)
    return get_object_or_404(Contact.objects.select_related("team"), team__code=code, pk=number)


def _as_it_is(contact: Contact) -> dict[str, Any]:
    said = {name: getattr(contact, name) for name in ("kind", "value", "post", "hours", "role", "public")}
    return said | {"person": contact.person.code if contact.person else ""}


def _back(code: str) -> HttpResponse:
    return see_other(reverse("contacts", args=[code]))
