"""Lists of the desk that grow with the shop: a page costs the same among ten rows and a million.

Their pages are read by key (`project.desk.keyset`), forwards and backwards, and their rows counted
only while they are few (`project.desk.row_counts`). They are sorted only by columns that an index
carries, and what a row shows of other tables is read once for the page. A replica may answer them
(`project.replica`).
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from project.desk.keyset import LAST, KeyPage, read_page
from project.desk.row_counts import count_rows
from project.replica.reading import read_lagging


class Pager:
    """The addresses of a list's other pages, for `desk/pager.html`; empty if there is none."""

    template_name = "desk/pager.html"

    def __init__(self, change_list: ChangeList, page: KeyPage) -> None:
        def address(place: str) -> str:
            return str(change_list.get_query_string({PAGE_VAR: place}))

        self.is_needed = not page.is_whole_list
        self.first = change_list.get_query_string() if page.previous else ""
        self.previous = address(page.previous) if page.previous else ""
        self.next = address(page.next) if page.next else ""
        self.last = address(LAST) if page.next else ""


class LongChangeList(ChangeList):
    """The list by key. Old links with a page's number lead to the first page."""

    model_admin: "LongList"

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Return the order asked for if an index carries it, else the list's own."""
        asked = str(self.params.get(ORDER_VAR, ""))
        _nothing, minus, index = asked.rpartition("-")
        if index.isascii() and index.isdecimal() and len(index) < 4:
            column = dict(enumerate(self.list_display)).get(int(index))
            if fields := self.model_admin.sortable.get(str(column)):
                return [f"{minus}{field}" for field in fields]
        return list(self.model_admin.ordering)

    def get_ordering_field_columns(self) -> dict[int, str]:
        """Return the column that is sorted by, for its header. The others only break ties."""
        return dict(list(super().get_ordering_field_columns().items())[:1])

    def get_results(self, request: HttpRequest) -> None:
        page = read_page(
            self.queryset, place=request.GET.get(PAGE_VAR, ""), size=self.list_per_page
        )
        self.model_admin.complete(page.rows)
        self.result_list = page.rows
        self.result_count = len(page.rows) if page.is_whole_list else count_rows(self.queryset)
        self.paginator = Pager(self, page)
        self.show_full_result_count = False
        self.full_result_count = None
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = False  # unfold would ask for the numbers of pages


class LongList(ModelAdmin):
    """A ModelAdmin whose list grows. `ordering` ends with a unique column, all in one direction."""

    sortable: Mapping[str, Sequence[str]] = {}
    """The columns by which an operator may sort, with the fields of the index that carries it."""
    ordering: Sequence[str] = ("-pk",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # it counts the whole table for each choice of each filter
    date_hierarchy = None  # it reads the table for its years

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Read the page's rows, from the replica if it may answer; a chosen action never there."""
        return read_lagging(request, partial(super().changelist_view, request, extra_context))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def get_sortable_by(self, request: HttpRequest) -> Collection[str]:
        return list(self.sortable)

    def complete(self, rows: list[Any]) -> None:
        """Set on the page's rows what they show of other tables. Nothing by default."""

    def matches(self, text: str) -> Q:
        """Return the condition for the rows that are meant by the text, which isn't empty.

        Each part of it is carried by an index. A list with a search has `search_fields`, too: by
        them the admin knows that there is one.
        """
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        is_asked = text and self.get_search_fields(request)
        return (queryset.filter(self.matches(text)) if is_asked else queryset), False
