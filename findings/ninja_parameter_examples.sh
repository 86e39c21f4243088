#!/bin/sh
# Examples of a parameter make django-ninja's document invalid OpenAPI.
#
# Expected: `Query(examples=["12.30"])`, which pydantic takes as a list, is written as the map that
#   OpenAPI's Parameter Object wants under `examples` (3.0 and 3.1: a map from names to objects).
# Seen (django-ninja 1.7.1, openapi-spec-validator 0.9.0): the list is copied beside the parameter's
#   `schema` as it is, and the validator refuses the document. `example="12.30"` is right.
# So the API's parameters have `example`, and a test holds the whole document to OpenAPI.
#
# Runs without any other project. Exits 0 while django-ninja does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "Django==5.2.19" "django-ninja==1.7.1" "openapi-spec-validator==0.9.0"
cd "$folder"
cat > document.py <<'PYTHON'
import json
import sys

from django.conf import settings

settings.configure(SECRET_KEY="x" * 50, ROOT_URLCONF=__name__)
import django

django.setup()

from ninja import NinjaAPI, Query
from openapi_spec_validator import validate


def document(**options):
    api = NinjaAPI(urls_namespace=str(options))

    @api.get("/price")
    def price(request, least: str = Query("", **options)):
        return least

    return json.loads(json.dumps(api.get_openapi_schema(path_prefix="")))


urlpatterns = []
refused = {}
for name, options in {"examples": {"examples": ["12.30"]}, "example": {"example": "12.30"}}.items():
    found = document(**options)
    parameter = found["paths"]["/price"]["get"]["parameters"][0]
    print(found["openapi"], parameter)
    try:
        validate(found)
        refused[name] = False
    except Exception as error:
        refused[name] = True
        print(name, "is refused:", str(error).splitlines()[0])
sys.exit(refused != {"examples": True, "example": False})
PYTHON
"$folder/venv/bin/python" document.py
