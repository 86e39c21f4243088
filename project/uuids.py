"""Ids in addresses: a path converter that reads a UUID as people and programs write it.

RFC 9562 (section 4): the letters of a UUID that is read may be capitals. Without dashes it is the
same number, too. Django's converter takes neither. Addresses that the shop writes have small
letters and dashes.
"""

from django.urls import register_converter
from django.urls.converters import UUIDConverter


class AnyUUIDConverter(UUIDConverter):
    regex = "[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"


register_converter(AnyUUIDConverter, "any_uuid")
