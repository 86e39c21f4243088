"""Attacks around an account: a sign-in that comes twice, codes guessed at once, a waiting list."""

from collections.abc import Sequence
from functools import partial

from allauth.account.models import EmailAddress

from notifications.models import Notification
from orders.models import Cart, CartLine, Product, User, WaitingListEntry
from tests.acidrain.attack import Attack, Race, Shop
from tests.acidrain.people import Answer, Browser, Shopper
from tests.factories import add_product
from tests.orders.accounts.pages import last_code, said

CONFIRM = "/accounts/login/code/confirm/"
TRIES, GUESSES = 3, 8


def account(name: str) -> User:
    user = User.objects.create_user(name, f"{name}@example.org")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def ask_for_code(browser: Browser, user: User) -> str:
    """Ask for a code to sign in, and return it."""
    browser.post("/accounts/login/code/", email=user.email)
    return last_code("sign_in_code", to=user.email)


# ── A sign-in that merges the guest's cart, twice ───────────────────────────────────────────────
def signed_in_twice(shop: Shop, number: int) -> Race:
    tea, mug = add_product(f"TEA-{number}"), add_product(f"MUG-{number}")
    user = account(f"ada-{number}")
    line = {"sku": tea.sku, "quantity": 1, "seen_name": tea.name, "seen_price": tea.price}
    Cart.objects.create(user=user).lines.create(**line)
    browser = Shopper(shop.url)
    browser.add(tea.sku, 2)
    browser.add(mug.sku)
    sign_in = partial(browser.post, CONFIRM, code=ask_for_code(browser, user))
    return Race([sign_in, sign_in], partial(_merged_wrongly, user, tea, mug))


def _merged_wrongly(user: User, tea: Product, mug: Product, answers: Sequence[Answer]) -> str:
    rows = CartLine.objects.filter(sku__in=[tea.sku, mug.sku])
    mine = dict(rows.filter(cart__user=user).values_list("sku", "quantity"))
    others = rows.exclude(cart__user=user).count()
    if (mine, others) == ({tea.sku: 2, mug.sku: 1}, 0):
        return ""
    return f"{user}: {mine}, and {others} lines elsewhere"


# ── A code guessed many times at once ───────────────────────────────────────────────────────────
def guessed_at_once(shop: Shop, number: int) -> Race:
    user, browser = account(f"eve-{number}"), Browser(shop.url)
    code = ask_for_code(browser, user)
    wrong = [f"{(int(code) + guess) % 1_000_000:06}" for guess in range(1, GUESSES + 1)]
    steps = [partial(browser.post, CONFIRM, code=guess) for guess in wrong]
    return Race(steps, partial(_guessed_too_often, browser, code))


def _guessed_too_often(browser: Browser, code: str, answers: Sequence[Answer]) -> str:
    """A guess that was judged is answered with the form; the others are led away from it."""
    judged = sum(answer.status == 200 for answer in answers)
    browser.post(CONFIRM, code=code)
    is_in = browser.get("/accounts/").status == 200
    if judged <= TRIES and not is_in:
        return ""
    return f"{judged} guesses were judged; the code {'still' if is_in else 'no longer'} opens"


# ── Asking twice to be told when a product is back ──────────────────────────────────────────────
def asked_twice(shop: Shop, number: int) -> Race:
    product, email = add_product(f"SOON-{number}", stock=0), f"bob-{number}@example.org"
    path = f"/products/{product.slug}/back-in-stock/"
    steps = [partial(Browser(shop.url).post, path, email=email) for _browser in range(2)]
    return Race(steps, partial(_told_twice, product, email))


def _told_twice(product: Product, email: str, answers: Sequence[Answer]) -> str:
    entries = WaitingListEntry.objects.filter(product=product).count()
    messages: list[Notification] = said("back_in_stock_confirmation", to=email)
    if (entries, len(messages)) == (1, 1):
        return ""
    return f"{email}: {entries} entries, {len(messages)} messages"


ATTACKS = (
    Attack("a sign-in that merges a cart twice", signed_in_twice),
    Attack("a code guessed many times at once", guessed_at_once),
    Attack(
        "a waiting list joined twice",
        asked_twice,
        constraints=((WaitingListEntry, "waiting_once_per_product_and_address"),),
    ),
)
