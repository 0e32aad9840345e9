from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "tansiq.feeds"
    label = "feeds"
