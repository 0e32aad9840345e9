from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "tansiq.audit"
    label = "audit"
