"""The URLs of the shop's pages."""

from django.urls import path

import project.uuids  # noqa: F401  (registers `any_uuid`)
from orders.accounts.views.find_order import find_order
from orders.accounts.views.language import set_language
from orders.shop.views import (
    cart,
    checkout,
    handoff,
    my_data,
    order,
    payment,
    products,
    returns,
    search,
    sitemaps,
    upload,
    waiting,
)

urlpatterns = [
    path("", search.shop, name="shop"),
    path("suggestions/", search.suggestions, name="suggestions"),
    path("products/<slug:slug>/", products.product, name="product"),
    path("products/<slug:slug>/upload/", upload.upload, name="product-upload"),
    path("products/<slug:slug>/upload/<any_uuid:token>/", upload.check, name="upload-check"),
    path("products/<slug:slug>/back-in-stock/", waiting.join, name="waiting-join"),
    path("back-in-stock/<any_uuid:entry_id>/confirm/", waiting.confirm, name="waiting-confirm"),
    path("back-in-stock/<any_uuid:entry_id>/stop/", waiting.stop, name="waiting-stop"),
    path("cart/", cart.cart, name="cart"),
    path("cart/agent/<any_uuid:cart_id>/", handoff.agent_cart, name="agent-cart"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("checkout/agent/<any_uuid:checkout_id>/", handoff.agent_checkout, name="agent-checkout"),
    path("checkout/hold/", checkout.hold, name="checkout-hold"),
    path("checkout/address/", checkout.address, name="checkout-address"),
    path("checkout/delivery/", checkout.delivery, name="checkout-delivery"),
    path("accounts/data/", my_data.my_data, name="my-data"),
    path("accounts/data/confirm/", my_data.confirm, name="my-data-confirm"),
    path("accounts/data/export/", my_data.export, name="my-data-export"),
    path("accounts/data/download/", my_data.download, name="my-data-download"),
    path("accounts/data/erase/", my_data.erase, name="my-data-erase"),
    path("accounts/data/file/<str:token>/", my_data.file, name="my-data-file"),
    path("orders/find/", find_order, name="order-find"),
    path("orders/<any_uuid:order_id>/", order.order, name="order"),
    path("orders/<any_uuid:order_id>/progress/", order.progress, name="order-progress"),
    path("orders/<any_uuid:order_id>/cancel/", order.cancel_order, name="order-cancel"),
    path("orders/<any_uuid:order_id>/returns/", returns.ask, name="order-return"),
    path(
        "orders/<any_uuid:order_id>/returns/<any_uuid:return_id>/withdraw/",
        returns.withdraw_return,
        name="order-return-withdraw",
    ),
    path("orders/<any_uuid:order_id>/pay/", payment.pay, name="order-pay"),
    path(
        "orders/<any_uuid:order_id>/pay/<any_uuid:attempt_id>/",
        payment.pay_return,
        name="order-pay-return",
    ),
    path("orders/<any_uuid:order_id>/method/", payment.choose, name="order-method"),
    path("orders/<any_uuid:order_id>/again/", order.again, name="order-again"),
    path("orders/<any_uuid:order_id>/pass/", order.pickup_pass, name="order-pass"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemap-<str:section>.xml", sitemaps.pages, name="sitemap-pages"),
    path("i18n/setlang/", set_language, name="set_language"),
]
