"""The admin's appearance: unfold's settings. Its pages are in `*/admin.py` and `*/desk/`."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def _page(title: str | Promise, icon: str, model: str) -> dict[str, Any]:
    """One line of the sidebar: a model's list, shown to users with its view permission."""
    app, name = model.split(".")

    def may_see(request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"{app}.{may}_{name}") for may in ("view", "change"))

    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": may_see}


def may_see_jobs(request: HttpRequest) -> bool:
    """Tell whether the user may see jobs of any model."""
    from project.jobs.model import job_models  # the models aren't loaded yet with the settings

    return any(
        request.user.has_perm(f"{model._meta.app_label}.{may}_{model._meta.model_name}")
        for model in job_models()
        for may in ("view", "change")
    )


def _group(title: str | Promise, *pages: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(pages)}


def unfold_settings(*, shop_name: str) -> dict[str, Any]:
    """Return the setting UNFOLD."""
    return {
        "SITE_TITLE": shop_name,
        "SITE_HEADER": shop_name,
        "SITE_SUBHEADER": _("Desk"),
        "SITE_SYMBOL": "storefront",
        "SITE_FAVICONS": [
            {
                "rel": "icon",
                "type": "image/svg+xml",
                "href": lambda request: static("shop/favicon.svg"),
            }
        ],
        "SHOW_VIEW_ON_SITE": True,
        "SHOW_HISTORY": True,
        "SHOW_BACK_BUTTON": True,
        "SHOW_LANGUAGES": True,
        "DASHBOARD_CALLBACK": "orders.desk.dashboard.dashboard",
        "STYLES": [lambda request: static("desk/desk.css")],
        "BORDER_RADIUS": "8px",
        # The shop's teal, from light to dark.
        "COLORS": {
            "primary": {
                "50": "oklch(98.4% .014 180.7)",
                "100": "oklch(95.3% .051 180.8)",
                "200": "oklch(91% .096 180.4)",
                "300": "oklch(85.5% .138 181.1)",
                "400": "oklch(77.7% .152 181.9)",
                "500": "oklch(70.4% .14 182.5)",
                "600": "oklch(52% .102 184.7)",
                "700": "oklch(45% .09 186.4)",
                "800": "oklch(39% .075 188.2)",
                "900": "oklch(34% .06 188.4)",
                "950": "oklch(27.7% .046 192.5)",
            },
        },
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
            "navigation": [
                {
                    "items": [
                        {
                            "title": _("Overview"),
                            "icon": "dashboard",
                            "link": reverse_lazy("admin:index"),
                        },
                    ],
                },
                _group(
                    _("Shop"),
                    _page(_("Orders"), "receipt_long", "orders.order"),
                    _page(_("Payment attempts"), "credit_card", "orders.paymentattempt"),
                    _page(_("Returns"), "assignment_return", "orders.return"),
                    _page(_("Refunds"), "currency_exchange", "orders.refund"),
                    _page(_("Products"), "inventory_2", "orders.product"),
                    _page(_("Categories"), "category", "orders.category"),
                    _page(_("Tax rates"), "percent", "orders.taxrate"),
                    _page(_("Tax classes"), "sell", "orders.taxclass"),
                    _page(_("Vouchers"), "redeem", "orders.voucher"),
                    _page(_("Stock movements"), "swap_vert", "orders.stockmovement"),
                    _page(_("Holds"), "hourglass_top", "orders.hold"),
                    _page(_("Waiting lists"), "notifications_active", "orders.waitinglistentry"),
                    _page(_("Announcements"), "campaign", "orders.announcement"),
                ),
                _group(
                    _("Shopping agents"),
                    _page(_("Agent platforms"), "smart_toy", "orders.agentplatform"),
                    _page(_("Agent checkouts"), "shopping_cart_checkout", "orders.agentcheckout"),
                    _page(_("Linked assistants"), "link", "orders.agentlink"),
                ),
                _group(
                    _("Jobs"),
                    {
                        "title": _("All jobs"),
                        "icon": "monitoring",
                        "link": reverse_lazy("desk-jobs"),
                        "permission": may_see_jobs,
                    },
                    _page(_("Notifications"), "mail", "notifications.notification"),
                    _page(_("Channels"), "cell_tower", "notifications.channelstate"),
                    _page(_("Webhooks"), "webhook", "notifications.webhookendpoint"),
                    _page(_("Webhook deliveries"), "outbound", "notifications.webhookdelivery"),
                    _page(_("Media jobs"), "imagesmode", "media_jobs.mediajob"),
                    _page(_("Desk jobs"), "work_history", "orders.deskjob"),
                    _page(_("Task results"), "task_alt", "django_celery_results.taskresult"),
                    _page(_("Schedule"), "schedule", "django_celery_beat.periodictask"),
                    _page(_("Runs by hand"), "play_circle", "project.manualrun"),
                ),
                _group(
                    _("Health"),
                    _page(_("Heartbeats"), "monitor_heart", "project.heartbeat"),
                    _page(_("Audits"), "fact_check", "project.auditrun"),
                    _page(_("Performance runs"), "timer", "project.performancerun"),
                    _page(_("Sweeps"), "cleaning_services", "project.sweep"),
                    _page(_("Daily runs"), "today", "project.dailyrun"),
                    _page(_("Failed logins"), "gpp_maybe", "axes.accessattempt"),
                    _page(_("Limits"), "speed", "project.limit"),
                    _page(_("Counted keys"), "block", "project.limitcounter"),
                ),
                _group(
                    _("People"),
                    _page(_("Users"), "person", "orders.user"),
                    _page(_("E-mail addresses"), "alternate_email", "account.emailaddress"),
                    _page(_("Roles and groups"), "group", "auth.group"),
                    _page(_("API clients"), "key", "orders.apiclient"),
                    _page(_("Audit log"), "history", "admin.logentry"),
                ),
            ],
        },
    }
