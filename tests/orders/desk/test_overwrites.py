"""Two people with the same page open: neither undoes what the other changed, or is told by name."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client, RequestFactory
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from PIL import Image

from media_jobs.assets import store_asset
from orders.accounts.forms import AddressForm
from orders.accounts.unsubscribe import unsubscribe
from orders.accounts.views import account
from orders.catalogue.products import add_media
from orders.catalogue.scheduled_changes import apply_scheduled
from orders.desk.media import MediaForm
from orders.models import (
    Address,
    Announcement,
    Category,
    Product,
    ProductMedia,
    ScheduledChange,
    Stock,
    StockMovement,
    User,
)
from project.desk.editing import EditAdmin, EditForm
from tests.factories import add_product
from tests.pages import OpenedPage, open_page, read_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(db: None) -> Client:
    """A second operator, “grace”, at a desk of her own."""
    client = Client()
    client.force_login(User.objects.create_superuser("grace", "grace@example.org", "secret"))
    return client


@pytest.fixture
def shopper(db: None) -> User:
    return User.objects.create_user(
        "ada",
        "ada@example.org",
        "secret",
        name="Ada",
        language="en",
        wants_announcements=True,
    )


def product_url(product: Product) -> str:
    return f"/admin/orders/product/{product.pk}/change/"


def user_url(user: User) -> str:
    return f"/admin/orders/user/{user.pk}/change/"


# ── Desk and desk ───────────────────────────────────────────────────────────────────────────────
def test_two_editors_of_two_fields_both_succeed(admin_client: Client, colleague: Client) -> None:
    mug = add_product("MUG", price="10.00")
    first, second = (open_page(client, product_url(mug)) for client in (admin_client, colleague))

    answers = [first.send(price="12.00"), second.send(name="Mug, blue")]

    assert [answer.status_code for answer in answers] == [302, 302]
    mug.refresh_from_db()
    assert (mug.name, str(mug.price)) == ("Mug, blue", "12.00")


def test_a_field_that_both_changed_is_refused_by_name(
    admin_client: Client, colleague: Client
) -> None:
    mug = add_product("MUG", price="10.00")
    name = mug.name
    page = open_page(admin_client, product_url(mug))
    open_page(colleague, product_url(mug)).send(price="12.00")

    answer = page.send(price="9.00", name="Mug, blue")

    assert "“Price” was changed to “12.00” by grace meanwhile." in answer.content.decode()
    mug.refresh_from_db()
    assert (mug.name, str(mug.price)) == (name, "12.00")  # nothing half-written


def test_after_the_refusal_a_second_save_is_a_decision(
    admin_client: Client, colleague: Client
) -> None:
    mug = add_product("MUG", price="10.00")
    page = open_page(admin_client, product_url(mug))
    open_page(colleague, product_url(mug)).send(price="12.00", description="New")
    refused = page.send(price="9.00")

    answer = read_page(admin_client, page.url, refused.content.decode()).send()

    assert answer.status_code == 302
    mug.refresh_from_db()
    assert (str(mug.price), mug.description) == ("9.00", "New")


def test_the_same_change_of_both_is_no_conflict(admin_client: Client, colleague: Client) -> None:
    mug = add_product("MUG", price="10.00")
    pages = [open_page(client, product_url(mug)) for client in (admin_client, colleague)]

    answers = [page.send(price="12.00") for page in pages]

    assert [answer.status_code for answer in answers] == [302, 302]


def test_a_text_of_several_lines_counts_as_unchanged(
    admin_client: Client, colleague: Client
) -> None:
    mug = add_product("MUG", price="10.00")
    Product.objects.update(description="One\ntwo ")
    page = open_page(admin_client, product_url(mug))
    open_page(colleague, product_url(mug)).send(description="Three\r\nfour")

    answer = page.send(price="12.00", description="One\r\ntwo ")

    assert answer.status_code == 302
    mug.refresh_from_db()
    assert mug.description == "Three\r\nfour"


def test_a_category_keeps_what_another_changed(admin_client: Client, colleague: Client) -> None:
    mugs = Category.objects.create(name="Mugs", slug="mugs")
    url = f"/admin/orders/category/{mugs.pk}/change/"
    page = open_page(admin_client, url)
    open_page(colleague, url).send(name="Cups")

    page.send(position="3")

    mugs.refresh_from_db()
    assert (mugs.name, mugs.position) == ("Cups", 3)


def test_a_list_of_categories_keeps_what_another_changed(
    admin_client: Client, colleague: Client
) -> None:
    one, two = (Category.objects.create(name=name, slug=name.lower()) for name in ("One", "Two"))
    url = "/admin/orders/category/"
    page, other = (open_page(client, url) for client in (admin_client, colleague))
    for opened in (page, other):
        opened.values.pop("action", None)
    places = {opened.values[f"form-{n}-id"][0]: n for opened in (page,) for n in range(2)}
    first, second = places[str(one.pk)], places[str(two.pk)]
    other.send(_save="1", **{f"form-{first}-position": "7"})

    kept = page.send(_save="1", **{f"form-{second}-position": "5"})
    refused = page.send(_save="1", **{f"form-{first}-position": "6"})

    assert kept.status_code == 302
    assert "was changed to “7” by grace meanwhile" not in refused.content.decode()
    assert "was changed to “7”" in refused.content.decode()
    assert [row.position for row in Category.objects.order_by("name")] == [7, 5]


def test_an_announcement_keeps_what_another_wrote(admin_client: Client, colleague: Client) -> None:
    news = Announcement.objects.create(subject_en="News", text_en="Text")
    url = f"/admin/orders/announcement/{news.pk}/change/"
    pages = [open_page(client, url) for client in (admin_client, colleague)]
    pages[1].send(subject_en="Good news")

    kept = pages[0].send(text_en="Longer text")
    refused = pages[0].send(subject_en="Bad news")

    assert kept.status_code == 302
    assert "“Good news” by grace meanwhile" in refused.content.decode()
    news.refresh_from_db()
    assert (news.subject_en, news.text_en) == ("Good news", "Longer text")


def test_an_entry_of_the_schedule_keeps_what_another_changed(
    admin_client: Client, colleague: Client
) -> None:
    interval = IntervalSchedule.objects.create(every=5, period="minutes")
    entry = PeriodicTask.objects.create(
        name="Often", task="project.tasks.audit", interval=interval, last_run_at=timezone.now()
    )
    url = f"/admin/django_celery_beat/periodictask/{entry.pk}/change/"
    first, second, third = (
        open_page(client, url) for client in (admin_client, colleague, admin_client)
    )
    second.send(every="2", period="hours")

    switched_off = first.send(enabled=None, description="Off for now")
    refused = third.send(every="3")

    assert switched_off.status_code == 302
    assert "“Every” was changed to “2” by grace meanwhile." in refused.content.decode()
    entry.refresh_from_db()
    assert (entry.enabled, entry.description, entry.last_run_at) == (False, "Off for now", None)
    assert (entry.interval.every, entry.interval.period) == (2, "hours")


def test_a_user_keeps_the_groups_that_another_gave(
    admin_client: Client, colleague: Client, shopper: User
) -> None:
    packers, writers = (Group.objects.create(name=name) for name in ("Packers", "Writers"))
    first, second, third = (
        open_page(client, user_url(shopper)) for client in (admin_client, colleague, admin_client)
    )
    second.send(groups=[str(packers.pk)])

    first.send(name="Ada L.")
    refused = third.send(groups=[str(writers.pk)])

    assert "“Roles” was changed to “Packers” by grace meanwhile." in refused.content.decode()
    assert list(shopper.groups.all()) == [packers]
    shopper.refresh_from_db()
    assert shopper.name == "Ada L."


def test_an_e_mail_address_keeps_what_another_changed(
    admin_client: Client, colleague: Client, shopper: User
) -> None:
    row = EmailAddress.objects.create(user=shopper, email="ada@example.org", primary=True)
    url = f"/admin/account/emailaddress/{row.pk}/change/"
    pages = [open_page(client, url) for client in (admin_client, colleague)]
    pages[1].send(verified="on")

    pages[0].send()

    row.refresh_from_db()
    assert row.verified


def test_a_planned_change_keeps_what_another_changed(
    admin_client: Client, colleague: Client
) -> None:
    mug = add_product("MUG", price="10.00")
    change = ScheduledChange.objects.create(
        product=mug, what="price", price="8.00", at=timezone.now() + timedelta(hours=1)
    )
    first, second, third = (
        open_page(client, product_url(mug)) for client in (admin_client, colleague, admin_client)
    )
    later = f"{timezone.localtime() + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    second.send(**{"scheduled_changes-0-price": "7.00"})

    kept = first.send(**{"scheduled_changes-0-at": later})
    refused = third.send(name="Mug, blue", **{"scheduled_changes-0-price": "6.00"})

    assert kept.status_code == 302
    assert "was changed to “7.00”" in refused.content.decode()
    change.refresh_from_db()
    assert str(change.price) == "7.00"
    assert change.at > timezone.now() + timedelta(hours=2)
    assert Product.objects.get().name != "Mug, blue"


# ── Desk and schedule ───────────────────────────────────────────────────────────────────────────
def test_a_price_that_came_at_its_time_is_told_to_who_sets_another(admin_client: Client) -> None:
    mug = add_product("MUG", price="10.00")
    page = open_page(admin_client, product_url(mug))
    past = timezone.now() - timedelta(minutes=1)
    ScheduledChange.objects.create(product=mug, what="price", price="8.00", at=past)
    apply_scheduled()

    answer = page.send(price="9.00")

    assert "“Price” was changed to “8.00” meanwhile." in answer.content.decode()
    assert str(Product.objects.get().price) == "8.00"


def test_an_edit_of_a_change_that_was_applied_meanwhile_is_refused(admin_client: Client) -> None:
    mug = add_product("MUG", price="10.00")
    change = ScheduledChange.objects.create(
        product=mug, what="price", price="8.00", at=timezone.now() + timedelta(minutes=1)
    )
    page = open_page(admin_client, product_url(mug))
    ScheduledChange.objects.update(at=timezone.now() - timedelta(minutes=1))
    apply_scheduled()

    answer = page.send(**{"scheduled_changes-0-price": "6.00"})

    assert "This change was applied meanwhile" in answer.content.decode()
    change.refresh_from_db()
    assert str(change.price) == "8.00"


def test_a_page_with_an_applied_change_can_be_saved(admin_client: Client) -> None:
    mug = add_product("MUG", price="10.00")
    past = timezone.now() - timedelta(minutes=1)
    ScheduledChange.objects.create(product=mug, what="price", price="8.00", at=past)
    apply_scheduled()

    answer = open_page(admin_client, product_url(mug)).send(name="Mug, blue")

    assert answer.status_code == 302
    assert Product.objects.get().name == "Mug, blue"


# ── Desk and shopper ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("event", ["announcement", "order_shipped"])
def test_an_opt_out_is_never_undone_by_a_page_that_was_opened_before(
    admin_client: Client, shopper: User, event: str
) -> None:
    page = open_page(admin_client, user_url(shopper))
    unsubscribe(user_id=shopper.pk, event=event)

    answer = page.send(name="Ada L.")

    assert answer.status_code == 302
    shopper.refresh_from_db()
    assert shopper.name == "Ada L."
    assert shopper.wants_announcements is (event != "announcement")
    assert shopper.muted_events == ([] if event == "announcement" else [event])


def test_an_opt_out_is_not_undone_by_a_new_password(
    admin_client: Client, shopper: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_password = User.set_password

    def while_the_shopper_unsubscribes(user: User, password: str) -> None:
        unsubscribe(user_id=user.pk, event="announcement")
        set_password(user, password)

    monkeypatch.setattr(User, "set_password", while_the_shopper_unsubscribes)
    words = {"password1": "long-enough-47", "password2": "long-enough-47"}
    url = f"/admin/orders/user/{shopper.pk}/password/"

    answer = admin_client.post(url, {**words, "usable_password": "true"})

    assert answer.status_code == 302
    shopper.refresh_from_db()
    assert not shopper.wants_announcements


def test_the_shoppers_settings_keep_what_the_desk_changed(
    admin_client: Client, shopper: User
) -> None:
    client = Client()
    client.force_login(shopper)
    page = open_page(client, "/accounts/settings/")
    open_page(admin_client, user_url(shopper)).send(name="Ada Lovelace")

    answer = page.send(wants_announcements=None)

    assert answer.status_code == 302
    shopper.refresh_from_db()
    assert (shopper.name, shopper.wants_announcements) == ("Ada Lovelace", False)


def test_an_unsubscription_is_not_undone_by_an_open_page_of_settings(shopper: User) -> None:
    client = Client()
    client.force_login(shopper)
    page = open_page(client, "/accounts/settings/")
    unsubscribe(user_id=shopper.pk, event="announcement")
    unsubscribe(user_id=shopper.pk, event="order_shipped")

    page.send(name="Ada L.")

    shopper.refresh_from_db()
    assert shopper.name == "Ada L."
    assert (shopper.wants_announcements, shopper.muted_events) == (False, ["order_shipped"])


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────
def test_two_who_count_the_same_stock_correct_it_once(
    admin_client: Client, colleague: Client
) -> None:
    mug = add_product("MUG", stock=987)
    url = f"/admin/orders/product/{mug.pk}/stock/?mode=count"
    pages = [open_page(client, url) for client in (admin_client, colleague)]

    answers = [page.send(counted="997", reason="Count") for page in pages]

    assert [answer.status_code for answer in answers] == [302, 422]
    assert "The stock was corrected meanwhile: +10 by admin" in answers[1].content.decode()
    assert Stock.objects.get().available == 997
    assert StockMovement.objects.count() == 1


def test_a_count_that_is_sent_again_after_the_refusal_is_compared_with_the_new_number(
    admin_client: Client, colleague: Client
) -> None:
    mug = add_product("MUG", stock=987)
    url = f"/admin/orders/product/{mug.pk}/stock/?mode=count"
    pages = [open_page(client, url) for client in (admin_client, colleague)]
    pages[0].send(counted="997", reason="Count")
    refused = pages[1].send(counted="998", reason="Count")

    read_page(colleague, url, refused.content.decode()).send()

    assert Stock.objects.get().available == 998


# ── Pages that were opened before the software carried their values ─────────────────────────────
OLD_PAGE = "This page was opened before the software was updated"


def test_an_old_page_of_a_user_does_not_undo_an_opt_out(
    admin_client: Client, shopper: User
) -> None:
    page = open_page(admin_client, user_url(shopper)).without_opened_values()
    unsubscribe(user_id=shopper.pk, event="announcement")

    answer = page.send(name="Ada L.")

    text = answer.content.decode()
    assert OLD_PAGE in text
    assert "“Wants announcements” is now “no”." in text
    assert 'value="Ada L."' in text  # what was typed is kept
    shopper.refresh_from_db()
    assert (shopper.name, shopper.wants_announcements) == ("Ada", False)


def test_an_old_page_whose_values_are_still_true_is_saved(
    admin_client: Client, shopper: User
) -> None:
    page = open_page(admin_client, user_url(shopper)).without_opened_values()

    assert page.send().status_code == 302


def test_after_the_refusal_of_an_old_page_a_second_save_is_a_decision(
    admin_client: Client, shopper: User
) -> None:
    page = open_page(admin_client, user_url(shopper)).without_opened_values()
    unsubscribe(user_id=shopper.pk, event="announcement")
    refused = page.send(name="Ada L.").content.decode()

    answer = read_page(admin_client, page.url, refused).send(wants_announcements=None)

    assert answer.status_code == 302
    shopper.refresh_from_db()
    assert (shopper.name, shopper.wants_announcements) == ("Ada L.", False)


def test_an_old_page_of_settings_does_not_undo_an_opt_out(shopper: User) -> None:
    client = Client()
    client.force_login(shopper)
    page = open_page(client, "/accounts/settings/").without_opened_values()
    unsubscribe(user_id=shopper.pk, event="announcement")
    unsubscribe(user_id=shopper.pk, event="order_shipped")

    answer = page.send(name="Ada L.")

    text = answer.content.decode()
    assert answer.status_code == 422
    assert OLD_PAGE in text
    assert "“News and offers, now and then” is now “no”." in text
    shopper.refresh_from_db()
    assert (shopper.wants_announcements, shopper.muted_events) == (False, ["order_shipped"])


def test_an_old_page_of_a_product_writes_neither_its_row_nor_its_planned_changes(
    admin_client: Client,
) -> None:
    mug = add_product("MUG", price="10.00")
    change = ScheduledChange.objects.create(
        product=mug, what="price", price="8.00", at=timezone.now() + timedelta(hours=1)
    )
    page = open_page(admin_client, product_url(mug)).without_opened_values()
    Product.objects.update(price="11.00")
    ScheduledChange.objects.update(price="7.00")

    answer = page.send(name="Mug, blue")

    text = answer.content.decode()
    assert text.count(OLD_PAGE) == 2
    assert "“Price” is now “11.00”." in text
    assert "is now “7.00”." in text
    mug.refresh_from_db()
    change.refresh_from_db()
    assert (str(mug.price), str(change.price)) == ("11.00", "7.00")


def test_an_old_list_does_not_write_its_rows_blindly(admin_client: Client) -> None:
    Category.objects.create(name="One", slug="one")
    page = open_page(admin_client, "/admin/orders/category/").without_opened_values()
    page.values.pop("action", None)
    Category.objects.update(position=7)

    answer = page.send(_save="1")

    assert OLD_PAGE in answer.content.decode()
    assert Category.objects.get().position == 7


# ── Files ───────────────────────────────────────────────────────────────────────────────────────
def png(colour: str) -> SimpleUploadedFile:
    file = BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return SimpleUploadedFile(f"{colour}.png", file.getvalue())


@pytest.fixture
def pictured(settings: Any, tmp_path: Path) -> Product:
    """A product with one picture, “teal.png”."""
    settings.MEDIA_ROOT = str(tmp_path)
    mug = add_product("MUG")
    add_media(product=mug, asset=store_asset(png("teal"), name="teal.png"))
    return mug


def test_the_second_replacement_of_a_picture_is_refused_by_name(
    admin_client: Client, colleague: Client, pictured: Product
) -> None:
    pages = [open_page(client, product_url(pictured)) for client in (admin_client, colleague)]
    pages[1].send(**{"media-0-upload": png("red")})

    answer = pages[0].send(**{"media-0-upload": png("blue")})

    text = answer.content.decode()
    assert "“red.png” was uploaded here by grace meanwhile." in text
    assert ProductMedia.objects.get().newest.name == "red.png"
    again = read_page(admin_client, product_url(pictured), text)
    assert again.send(**{"media-0-upload": png("blue")}).status_code == 302
    assert ProductMedia.objects.get().newest.name == "blue.png"


def test_another_field_of_a_replaced_picture_is_saved(
    admin_client: Client, colleague: Client, pictured: Product
) -> None:
    pages = [open_page(client, product_url(pictured)) for client in (admin_client, colleague)]
    pages[1].send(**{"media-0-upload": png("red")})

    answer = pages[0].send(**{"media-0-alt": "A mug"})

    assert answer.status_code == 302
    medium = ProductMedia.objects.get()
    assert (medium.newest.name, medium.alt) == ("red.png", "A mug")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_locked", "answers"),
    [
        pytest.param(True, [200, 302], id="locked"),
        pytest.param(False, [302, 302], id="control: without the lock both replace it"),
    ],
)
def test_of_two_replacements_at_the_same_moment_one_is_refused(
    admin_client: Client,
    colleague: Client,
    pictured: Product,
    monkeypatch: pytest.MonkeyPatch,
    is_locked: bool,
    answers: list[int],
) -> None:
    pages = [open_page(client, product_url(pictured)) for client in (admin_client, colleague)]
    both_have_compared = Barrier(2)
    save = MediaForm.save

    def wait_for_the_other(form: MediaForm, commit: bool = True) -> ProductMedia:
        with suppress(BrokenBarrierError):
            both_have_compared.wait(timeout=2)
        return save(form, commit)

    def send(page: OpenedPage, colour: str) -> int:
        try:
            return page.send(**{"media-0-upload": png(colour)}).status_code
        finally:
            connections.close_all()

    monkeypatch.setattr(MediaForm, "save", wait_for_the_other)
    if not is_locked:
        monkeypatch.setattr(EditAdmin, "_lock", lambda desk, keys: None)
    with ThreadPoolExecutor(2) as threads:
        found = sorted(threads.map(send, pages, ["red", "blue"]))

    assert found == answers


# ── The shopper's address book ──────────────────────────────────────────────────────────────────
@pytest.fixture
def devices(shopper: User) -> list[Client]:
    """The shopper's two devices, both signed in."""
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(shopper)
    return clients


def add_address(shopper: User, line1: str = "Am Kai 1", *, is_default: bool = True) -> Address:
    return Address.objects.create(
        user=shopper,
        line1=line1,
        city="Hamburg",
        postcode="20457",
        country="DE",
        is_default=is_default,
    )


def address_url(address: Address) -> str:
    return f"/accounts/addresses/{address.pk}/"


def test_an_address_keeps_what_another_device_changed(shopper: User, devices: list[Client]) -> None:
    address = add_address(shopper)
    first, second = (open_page(client, address_url(address)) for client in devices)
    second.send(line1="Am Kai 2")

    answer = first.send(line2="Second floor")

    assert answer.status_code == 302
    address.refresh_from_db()
    assert (address.line1, address.line2) == ("Am Kai 2", "Second floor")


def test_a_line_that_both_devices_changed_is_refused_by_name(
    shopper: User, devices: list[Client]
) -> None:
    address = add_address(shopper)
    first, second = (open_page(client, address_url(address)) for client in devices)
    second.send(line1="Am Kai 2")

    answer = first.send(line1="Am Kai 3")

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "“Street and number” was changed to “Am Kai 2” meanwhile." in text
    assert 'value="Am Kai 3"' in text
    assert read_page(devices[0], first.url, text).send().status_code == 302
    address.refresh_from_db()
    assert address.line1 == "Am Kai 3"


def test_the_choice_of_the_default_is_not_undone(shopper: User, devices: list[Client]) -> None:
    home, office = add_address(shopper), add_address(shopper, "Hafen 2", is_default=False)
    page = open_page(devices[0], address_url(home))
    open_page(devices[1], address_url(office)).send(is_default="on")

    page.send(line2="Second floor")

    assert [each.line1 for each in shopper.addresses.filter(is_default=True)] == ["Hafen 2"]


def test_an_old_page_of_an_address_is_refused(shopper: User, devices: list[Client]) -> None:
    address = add_address(shopper)
    page = open_page(devices[0], address_url(address)).without_opened_values()
    Address.objects.update(line1="Am Kai 2")

    answer = page.send(line2="Second floor")

    text = answer.content.decode()
    assert (answer.status_code, OLD_PAGE in text) == (422, True)
    assert "“Street and number” is now “Am Kai 2”." in text
    address.refresh_from_db()
    assert (address.line1, address.line2) == ("Am Kai 2", "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_locked", "answers"),
    [
        pytest.param(True, [302, 422], id="locked"),
        pytest.param(False, [302, 302], id="control: without the lock both are saved"),
    ],
)
def test_of_two_devices_at_the_same_moment_one_is_refused(
    shopper: User,
    devices: list[Client],
    monkeypatch: pytest.MonkeyPatch,
    is_locked: bool,
    answers: list[int],
) -> None:
    address = add_address(shopper)
    pages = [open_page(client, address_url(address)) for client in devices]
    both_have_compared = Barrier(2)
    changes = AddressForm.changes

    def wait_for_the_other(form: AddressForm) -> dict[str, Any]:
        with suppress(BrokenBarrierError):
            both_have_compared.wait(timeout=2)
        return changes(form)

    def send(page: OpenedPage, line1: str) -> int:
        try:
            return page.send(line1=line1).status_code
        finally:
            connections.close_all()

    monkeypatch.setattr(AddressForm, "changes", wait_for_the_other)
    if not is_locked:
        monkeypatch.setattr(account, "lock_addresses", lambda user: None)
    with ThreadPoolExecutor(2) as threads:
        found = sorted(threads.map(send, pages, ["Am Kai 2", "Am Kai 3"]))

    assert found == answers


# ── All pages ───────────────────────────────────────────────────────────────────────────────────
def test_every_row_that_people_change_on_anothers_page_is_guarded() -> None:
    inlines = [inline for desk in admin.site._registry.values() for inline in desk.inlines]

    assert inlines
    assert {inline for inline in inlines if not issubclass(inline.form, EditForm)} == set()


def test_every_model_that_people_change_is_guarded(rf: RequestFactory, admin_user: Any) -> None:
    request = rf.get("/")
    request.user = admin_user

    changeable = {
        name: type(desk)
        for name, desk in admin.site._registry.items()
        if desk.has_change_permission(request)
    }

    assert changeable
    assert {name for name, desk in changeable.items() if not issubclass(desk, EditAdmin)} == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_locked", "answers"),
    [
        pytest.param(True, [200, 302], id="locked"),
        pytest.param(False, [302, 302], id="control: without the lock both are saved"),
    ],
)
def test_of_two_saves_at_the_same_moment_one_is_refused(
    admin_client: Client,
    colleague: Client,
    monkeypatch: pytest.MonkeyPatch,
    is_locked: bool,
    answers: list[int],
) -> None:
    mug = add_product("MUG", price="10.00")
    pages = [open_page(client, product_url(mug)) for client in (admin_client, colleague)]
    both_have_compared = Barrier(2)
    changed_columns = EditForm.changed_columns

    def wait_for_the_other(form: EditForm) -> list[str]:
        with suppress(BrokenBarrierError):
            both_have_compared.wait(timeout=2)
        return changed_columns(form)

    def send(page: OpenedPage, price: str) -> int:
        try:
            return page.send(price=price).status_code
        finally:
            connections.close_all()

    monkeypatch.setattr(EditForm, "changed_columns", wait_for_the_other)
    if not is_locked:
        monkeypatch.setattr(EditAdmin, "_lock", lambda desk, keys: None)
    with ThreadPoolExecutor(2) as threads:
        found = sorted(threads.map(send, pages, ["12.00", "9.00"]))

    assert found == answers
