"""The page of one channel at the desk."""

import re

import pytest
from django.test import Client
from django.utils.html import strip_tags

from notifications.models import ChannelState
from tests.pages import read_page

pytestmark = pytest.mark.django_db

PAGE = "/admin/notifications/channelstate/email/change/"


def press(client: Client, label: str) -> None:
    """Press the button as the page has it."""
    page = client.get(PAGE).content.decode()
    [form] = [
        form
        for form in re.findall(r"<form.*?</form>", page, re.DOTALL)
        if label in strip_tags(form)
    ]
    [action] = re.findall(r'action="([^"]+)"', form)
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    answer = client.post(action, fields)
    if answer.status_code == 200:
        answer = read_page(client, action, answer.content.decode()).send(reason="Maintenance")
    assert answer.status_code == 302


def test_a_channel_is_paused_and_resumed_on_its_own_page(admin_client: Client) -> None:
    ChannelState.objects.create(gateway="email")

    press(admin_client, "Pause: messages wait")
    paused = ChannelState.objects.get(pk="email")
    press(admin_client, "Resume")

    assert paused.paused_by == "admin"
    assert ChannelState.objects.get(pk="email").paused_at is None


def test_a_channels_page_says_its_name_and_state_in_words(admin_client: Client) -> None:
    ChannelState.objects.create(gateway="email", error="The server refused (535 no)")

    page = strip_tags(admin_client.get(PAGE).content.decode())

    assert "E-mail" in page
    assert "working" in page
    assert "email" not in page.split()


def test_the_words_of_a_gateway_are_not_translated(admin_client: Client) -> None:
    ChannelState.objects.create(gateway="email", error="535 no")

    page = admin_client.get(PAGE).content.decode()

    assert '<span translate="no" dir="auto">535 no</span>' in page


def test_who_may_only_look_has_no_button(clerk_client: Client) -> None:
    ChannelState.objects.create(gateway="email")

    page = strip_tags(clerk_client.get(PAGE).content.decode())

    assert "working" in page
    assert "Pause: messages wait" not in page
