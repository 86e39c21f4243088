"""The Aliyun channel against an HTTP server that checks its signature."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from notifications.channels import aliyun_sms
from notifications.channels.aliyun_sms import canonical_query, signed_headers
from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    NotAskedError,
    OurSettingsError,
    ProviderDownError,
    Receipt,
)
from project.jobs.errors import PermanentError, TransientError
from tests.notifications.channels.aliyun import SILENCE, AliyunServer
from tests.notifications.gateway import serving

MESSAGE = Message(
    id=UUID("0d9f6a52-9a1c-4d2f-8a55-6b1f4e1f3a10"),
    recipient="+8613811111111",
    text="茶叶店：我们已收到您的订单 T1001，共 ¥12.30。",
    event="order_placed",
    language="zh-hans",
    parameters={"number": "T1001", "total": "¥12.30"},
)


@pytest.fixture
def aliyun(settings: Any) -> Iterator[AliyunServer]:
    settings.SMS_TEMPLATES = '{"order_placed": {"en": "SMS_1", "zh-hans": "SMS_2"}}'
    server = AliyunServer()
    with serving(server):
        yield server


def send(server: AliyunServer, *, message: Message = MESSAGE, seconds: float = 5) -> Receipt:
    return aliyun_sms.send(message, url=server.url, deadline=Deadline(seconds))


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    headers = signed_headers(
        key_id="YourAccessKeyId",
        secret="YourAccessKeySecret",
        host="ecs.cn-shanghai.aliyuncs.com",
        action="RunInstances",
        version="2014-05-26",
        query=canonical_query(
            {
                "RegionId": "cn-shanghai",
                "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            }
        ),
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )

    assert headers["Authorization"].endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_the_template_is_sent_with_its_parameters_and_the_biz_id_is_kept(aliyun) -> None:
    aliyun.answers = [(200, "OK")]

    receipt = send(aliyun)

    [asked] = aliyun.asked
    assert asked["PhoneNumbers"] == "8613811111111"
    assert asked["SignName"] == "茶叶店"
    assert asked["TemplateCode"] == "SMS_2"
    assert json.loads(asked["TemplateParam"]) == {"number": "T1001", "total": "¥12.30"}
    assert asked["OutId"] == str(MESSAGE.id)
    assert receipt.provider_id == "900619746936498440^0"


def test_control_a_wrong_secret_is_noticed_by_the_server(aliyun, monkeypatch) -> None:
    monkeypatch.setattr("tests.notifications.channels.aliyun.SECRET", "another")
    url = aliyun.url.replace("another", "test%2Fsecret")

    with pytest.raises(ProviderDownError, match="SignatureDoesNotMatch"):
        aliyun_sms.send(MESSAGE, url=url, deadline=Deadline(5))
    assert aliyun.asked == []


def test_no_two_requests_have_the_same_nonce(aliyun) -> None:
    aliyun.answers = [(200, "OK")] * 2

    send(aliyun)
    send(aliyun)

    assert len(aliyun.nonces) == 2


def test_a_long_value_is_cut_to_what_a_variable_may_have(aliyun) -> None:
    aliyun.answers = [(200, "OK")]

    send(aliyun, message=replace(MESSAGE, parameters={"carrier": "承运人" * 20}))

    [asked] = aliyun.asked
    assert len(json.loads(asked["TemplateParam"])["carrier"]) <= aliyun_sms.LONGEST_VALUE


@pytest.mark.parametrize(
    "code",
    [
        "isv.MOBILE_NUMBER_ILLEGAL",
        "isv.TEMPLATE_PARAMS_ILLEGAL",
        "isv.BLACK_KEY_CONTROL_LIMIT",
    ],
)
def test_what_is_wrong_with_the_message_is_permanent(aliyun, code) -> None:
    aliyun.answers = [(200, code)]

    with pytest.raises(PermanentError, match=f"{code} about {code}"):
        send(aliyun)


@pytest.mark.parametrize(
    "code",
    [
        "isv.SMS_TEMPLATE_ILLEGAL",
        "isv.SMS_SIGNATURE_ILLEGAL",
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
        "isv.TEMPLATE_MISSING_PARAMETERS",
    ],
)
def test_a_template_or_signature_of_ours_that_is_refused_is_not_the_messages_fault(
    aliyun, code
) -> None:
    aliyun.answers = [(200, code)]

    with pytest.raises(OurSettingsError, match=f"{code} about {code}"):
        send(aliyun)


def test_a_number_that_had_enough_for_now_is_tried_later(aliyun) -> None:
    aliyun.answers = [(200, "isv.BUSINESS_LIMIT_CONTROL")]

    with pytest.raises(TransientError, match=r"isv\.BUSINESS_LIMIT_CONTROL") as caught:
        send(aliyun)
    assert not isinstance(caught.value, ProviderDownError), "it says nothing about other numbers"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "Throttling.User"),
        (503, "ServiceUnavailable"),
        (500, "InternalError"),
        (200, "isp.SYSTEM_ERROR"),
        (200, "isv.AMOUNT_NOT_ENOUGH"),
        (200, "isv.OUT_OF_SERVICE"),
        (404, "InvalidAccessKeyId.Inactive"),
        (429, ""),
    ],
)
def test_what_would_refuse_every_message_is_a_provider_that_is_down(aliyun, status, code) -> None:
    aliyun.answers = [(status, code)]

    with pytest.raises(ProviderDownError, match=code or "429"):
        send(aliyun)


@pytest.mark.parametrize("answer", [SILENCE, (502, "")])
def test_no_answer_of_aliyuns_own_is_in_doubt(aliyun, answer) -> None:
    aliyun.answers = [answer]

    with pytest.raises(NoAnswerError):
        send(aliyun, seconds=0.5)


def test_nothing_is_sent_twice_without_a_person(aliyun) -> None:
    assert not aliyun_sms.repeats_are_safe(aliyun.url)


@pytest.mark.parametrize("event", ["order_placed", "order_shipped"])
def test_a_missing_template_names_its_event_and_language(aliyun, settings, event) -> None:
    settings.SMS_TEMPLATES = '{"order_placed": {"en": "SMS_1"}}'

    with pytest.raises(NotAskedError, match=f"no template for {event} in zh-hans"):
        send(aliyun, message=replace(MESSAGE, event=event))
    assert aliyun.asked == []


def test_templates_may_stand_in_a_file(aliyun, settings, tmp_path) -> None:
    (tmp_path / "templates.json").write_text('{"order_placed": {"zh-hans": "SMS_77"}}')
    settings.SMS_TEMPLATES = str(tmp_path / "templates.json")
    aliyun.answers = [(200, "OK")]

    send(aliyun)

    assert aliyun.asked[0]["TemplateCode"] == "SMS_77"
