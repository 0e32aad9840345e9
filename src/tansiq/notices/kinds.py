"""Names for the reader of RSIT classes and types, severities and ways of attribution, and what to do about a class.

English is the wording of the taxonomy itself (version 1003); the glossary (docs/reference/glossary.md) has the others.
"""

from __future__ import annotations

from tansiq.core.errors import N_

CLASSES: dict[str, str] = {
    "abusive-content": N_("Abusive content"),
    "malicious-code": N_("Malicious code"),
    "information-gathering": N_("Information gathering"),
    "intrusion-attempts": N_("Intrusion attempts"),
    "intrusions": N_("Intrusions"),
    "availability": N_("Availability"),
    "information-content-security": N_("Information content security"),
    "fraud": N_("Fraud"),
    "vulnerable": N_("Vulnerable"),
    "other": N_("Other"),
    "test": N_("Test"),
}

TYPES: dict[str, str] = {
    "spam": N_("Spam"),
    "harmful-speech": N_("Harmful speech"),
    "violence": N_("(Child) sexual exploitation, sexual or violent content"),
    "infected-system": N_("Infected system"),
    "c2-server": N_("C2 server"),
    "malware-distribution": N_("Malware distribution"),
    "malware-configuration": N_("Malware configuration"),
    "scanner": N_("Scanning"),
    "sniffing": N_("Sniffing"),
    "social-engineering": N_("Social engineering"),
    "ids-alert": N_("Exploitation of known vulnerabilities"),
    "brute-force": N_("Login attempts"),
    "exploit": N_("New attack signature"),
    "privileged-account-compromise": N_("Privileged account compromise"),
    "unprivileged-account-compromise": N_("Unprivileged account compromise"),
    "application-compromise": N_("Application compromise"),
    "system-compromise": N_("System compromise"),
    "burglary": N_("Burglary"),
    "dos": N_("Denial of service"),
    "ddos": N_("Distributed denial of service"),
    "misconfiguration": N_("Misconfiguration"),
    "sabotage": N_("Sabotage"),
    "outage": N_("Outage"),
    "unauthorised-information-access": N_("Unauthorised access to information"),
    "unauthorised-information-modification": N_("Unauthorised modification of information"),
    "data-loss": N_("Data loss"),
    "data-leak": N_("Leak of confidential information"),
    "unauthorised-use-of-resources": N_("Unauthorised use of resources"),
    "copyright": N_("Copyright"),
    "masquerade": N_("Masquerade"),
    "phishing": N_("Phishing"),
    "weak-crypto": N_("Weak cryptography"),
    "ddos-amplifier": N_("DDoS amplifier"),
    "potentially-unwanted-accessible": N_("Potentially unwanted accessible service"),
    "information-disclosure": N_("Information disclosure"),
    "vulnerable-system": N_("Vulnerable system"),
    "other": N_("Uncategorised"),
    "undetermined": N_("Undetermined"),
    "test": N_("Test"),
}

SEVERITIES: dict[str, str] = {
    "critical": N_("critical"),
    "high": N_("high"),
    "medium": N_("medium"),
    "low": N_("low"),
    "info": N_("informational"),
    "": N_("not stated"),
}
"""The worst first: the order of a digest's lines."""

WAYS: dict[str, str] = {
    "cidr": N_("by a network that you claim"),
    "domain": N_("by a domain that you claim"),
    "asn": N_("by an autonomous system that you claim"),
    "country": N_("by the country of the address"),
    "tie": N_("two teams with an equal claim"),
    "contested": N_("a claim inside another team's claim"),
    "none": N_("no team answers for it"),
}

ADVICE: dict[str, str] = {
    "intrusions": N_(
        "Intrusions: preserve evidence before anything is changed, take the system off the network, "
        "change the credentials used on it, and open a case."
    ),
    "malicious-code": N_(
        "Malicious code: have the owner isolate and rebuild the systems; look for further victims by "
        "the malware's name and the destination addresses."
    ),
    "information-content-security": N_(
        "Information content security: establish what was taken or changed and who must be told by law, "
        "then close the way in."
    ),
    "fraud": N_(
        "Fraud: ask the hosting provider and the registrar for a takedown, and warn those whose name is misused."
    ),
    "intrusion-attempts": N_(
        "Intrusion attempts: the systems named are often victims themselves; have the owners check them "
        "for malware and stolen credentials."
    ),
    "availability": N_("Availability: agree with the network operator on filtering, and keep traffic samples."),
    "vulnerable": N_(
        "Vulnerable: tell the owners which service is exposed, and ask them to update it, restrict it "
        "or switch it off; check again after a week."
    ),
    "information-gathering": N_(
        "Information gathering: check the systems that scan for infection; block them only for a time."
    ),
    "abusive-content": N_("Abusive content: pass the events to the mail or hosting provider concerned."),
    "other": N_("Other: read the events themselves in the attachment before passing them on."),
}
"""What to do next about a class, the most pressing class first."""
