"""The app's configuration: its name, its system check, and what it says to messages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added, authenticator_used
        from django.apps import apps
        from django.core.checks import Tags, register
        from django.db.models.signals import post_migrate

        from notifications.delivery.consent import ask_before_sending
        from notifications.receipts.effect import on_complaint
        from notifications.staff import staff_are
        from notifications.webhooks.kinds import EndpointKind, register_kind
        from orders.accounts.consent import note_complaint, why_unwanted
        from orders.accounts.roles import apply_roles
        from orders.accounts.second_factor import note_proof
        from orders.accounts.staff import staff
        from orders.agents.order_events import EVENTS_KIND, event_payload, sign_event
        from orders.checks import check_staff
        from orders.messages import back_in_stock, waiting_list
        from project.checks import SCHEDULE

        register_kind(EVENTS_KIND, EndpointKind(payload=event_payload, sign=sign_event))
        register(check_staff, Tags.database, SCHEDULE)
        ask_before_sending(why_unwanted)
        ask_before_sending(back_in_stock.why_unwanted)
        staff_are(staff)
        on_complaint(note_complaint)
        on_complaint(waiting_list.leave_all)
        # After the last app: by then every app's permissions exist.
        post_migrate.connect(
            apply_roles, sender=[*apps.get_app_configs()][-1], dispatch_uid="orders.roles"
        )
        authenticator_added.connect(note_proof, dispatch_uid="orders.second_factor.added")
        authenticator_used.connect(note_proof, dispatch_uid="orders.second_factor.used")
