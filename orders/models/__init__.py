"""The shop's tables: users, catalogue, carts, orders, money, and the ledgers of stock and sales."""

from orders.models.agent import (
    AgentAnswer,
    AgentCart,
    AgentCheckout,
    AgentInstrument,
    AgentPlatform,
    DeliveryRate,
)
from orders.models.agent_link import AgentClient, AgentLink
from orders.models.announcement import Announcement
from orders.models.cart import Cart, CartLine, CheckoutDraft, ClearedCart
from orders.models.client import ApiAnswer, ApiClient, ApiKey
from orders.models.demo import DemoFill
from orders.models.desk import DeskJob
from orders.models.erased import ErasedAddress
from orders.models.hold import Hold, HoldLine
from orders.models.invoice import Invoice, InvoiceCounter
from orders.models.money import Payment, PaymentAttempt, Refund, RefundLine
from orders.models.order import Order, OrderEvent, OrderLine, OrderNote
from orders.models.product import Category, Product, ProductMedia
from orders.models.quote import KeptAnswer
from orders.models.returns import Return, ReturnLine
from orders.models.sales import AuditedBalance, ProductSales, SalesEntry, SalesQuarter
from orders.models.scheduled import ScheduledChange
from orders.models.search import Popularity, SearchWord
from orders.models.stock import BY_HAND, Stock, StockAlert, StockMovement
from orders.models.tax import TaxClass, TaxRate
from orders.models.upload import Upload
from orders.models.user import Address, User
from orders.models.voucher import Voucher, VoucherUse
from orders.models.waiting import Restock, WaitingListEntry

__all__ = [
    "BY_HAND",
    "Address",
    "AgentAnswer",
    "AgentCart",
    "AgentCheckout",
    "AgentClient",
    "AgentInstrument",
    "AgentLink",
    "AgentPlatform",
    "Announcement",
    "ApiAnswer",
    "ApiClient",
    "ApiKey",
    "AuditedBalance",
    "Cart",
    "CartLine",
    "Category",
    "CheckoutDraft",
    "ClearedCart",
    "DeliveryRate",
    "DemoFill",
    "DeskJob",
    "ErasedAddress",
    "Hold",
    "HoldLine",
    "Invoice",
    "InvoiceCounter",
    "KeptAnswer",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderNote",
    "Payment",
    "PaymentAttempt",
    "Popularity",
    "Product",
    "ProductMedia",
    "ProductSales",
    "Refund",
    "RefundLine",
    "Restock",
    "Return",
    "ReturnLine",
    "SalesEntry",
    "SalesQuarter",
    "ScheduledChange",
    "SearchWord",
    "Stock",
    "StockAlert",
    "StockMovement",
    "TaxClass",
    "TaxRate",
    "Upload",
    "User",
    "Voucher",
    "VoucherUse",
    "WaitingListEntry",
]
