"""Another mail address to sign in with: asked for here, confirmed by the link that the new mailbox receives.

Whether an address is somebody else's is told to nobody: the page, the mail to the old mailbox and the row of the record
are the same, and only the owner of a mailbox sees what comes there.
"""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tansiq.members.actions import addresses, people, tokens
from tansiq.members.models import Person
from tansiq.web.account.signed_in import signed_in
from tansiq.web.desk.place import did
from tansiq.web.languages import see_other
from tansiq.web.signin import limits, post
from tansiq.web.signin.adapter import verify_address

AT_FIELD = {people.BadAddress.code: "email", addresses.SameAddress.code: "email"}


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("New mail address"),
        widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "email"}),
        help_text=gettext_lazy("A link goes there. Until you open it, you sign in with the old address."),
    )


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required
def page(request: HttpRequest) -> HttpResponse:
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and did(form, lambda clean: ask(request, clean["email"]), AT_FIELD):
        messages.success(request, _("If this address can be yours, a link is on its way to it. It works for a day."))
        return see_other(reverse("address"))
    return render(request, "account/address.html", {"form": form}, status=422 if form.is_bound else 200)


@transaction.atomic
def ask(request: HttpRequest, email: str) -> None:
    """Silently without mail where one of the two mailboxes had enough of it, as for a new password."""
    person = Person.objects.get(pk=request.user.pk)
    asked = addresses.ask_for_address(person, email, by=request.viewer, now=request.now)
    try:
        limits.spend([limits.key_of_mailbox(asked.email), limits.key_of_mailbox(person.email)], now=request.now)
    except limits.TooManyFailures:
        return
    post.address_asked(person, asked.email, asked.token, now=request.now)


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """To look at it, as mail scanners do, changes nothing; the button does, of whoever asked and is signed in."""
    try:
        if request.method != "POST":
            email = addresses.address_asked(token, by=request.viewer, now=request.now)
            return render(request, "account/address_confirm.html", {"email": email})
        with transaction.atomic():
            person, old = addresses.change_address(token, by=request.viewer, now=request.now)
            verify_address(person)
            post.address_changed(person, old, now=request.now)
    except tokens.LinkNotValid as error:
        return render(request, "account/link_not_valid.html", {"error": error}, status=410)
    messages.success(request, _("You now sign in as {address}.").format(address=person.email))
    return see_other(reverse("settings"))
