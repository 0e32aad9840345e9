from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "tansiq.exchange"
    label = "exchange"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tansiq.exchange import own_kinds
        from tansiq.exchange.directory import kinds, withholding
        from tansiq.members import changes, withheld

        own_kinds.register()
        kinds.register()
        changes.listen(kinds.on_change)
        withheld.ask(withholding.teams_elsewhere)
