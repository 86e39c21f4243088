"""The addresses of accounts."""

from django.utils.translation import gettext_noop

from orders.audits.subjects import ACCOUNTS
from project.monitoring.audit import THESE, Invariant, register

register(
    Invariant(
        name=gettext_noop("accounts: the user's address is one of its rows in allauth's table"),
        subject=ACCOUNTS,
        query=f"""
            SELECT 'user ' || id FROM orders_user AS account
            WHERE id {THESE} AND email <> ''
              AND EXISTS (SELECT FROM account_emailaddress WHERE user_id = account.id)
              AND NOT EXISTS (SELECT FROM account_emailaddress AS own
                              WHERE user_id = account.id AND own.email = lower(account.email))
        """,
        checked=f"SELECT count(*) FROM orders_user WHERE id {THESE}",
    )
)
# CHECKs hold the form; a migration escaped what had none, or had another account's.
register(
    Invariant(
        name=gettext_noop("accounts: addresses have the one form of project.email_addresses"),
        subject=ACCOUNTS,
        query=f"""
            SELECT 'user ' || id FROM orders_user
            WHERE id {THESE} AND strpos(email, '\\') > 0
            UNION
            SELECT 'user ' || user_id FROM account_emailaddress
            WHERE user_id {THESE} AND strpos(email, '\\') > 0
        """,
        checked=f"SELECT count(*) FROM orders_user WHERE id {THESE}",
    )
)
