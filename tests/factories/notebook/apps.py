from django.apps import AppConfig


class NotebookConfig(AppConfig):
    name = "factories.notebook"
    label = "notebook"
    default_auto_field = "django.db.models.BigAutoField"
