"""Checks that JSON Schema validators of two languages accept every price that the API accepts.

    prices.py URL_OF_THE_OPENAPI_DOCUMENT
"""

import json
import sys
import urllib.request

import jsonschema
import jsonschema_rs

# Every amount up to 1000.00, and larger ones with all endings.
AMOUNTS = [*range(0, 100_001), *range(9_999_999_900, 10_000_000_001)]
# Schema and field of each amount in requests and answers.
FIELDS = [
    ("ProductBody", "price"), ("ProductPatch", "price"), ("ProductView", "price"),
    ("OrderBody", "expectedTotal"), ("OrderView", "totalPrice"),
]


def main():
    with urllib.request.urlopen(sys.argv[1]) as answer:
        schemas = json.load(answer)["components"]["schemas"]
    refused = []
    for schema, field in FIELDS:
        number = schemas[schema]["properties"][field]
        validators = [jsonschema.Draft202012Validator(number), jsonschema_rs.validator_for(number)]
        for minor in AMOUNTS:
            # As a client writes it and as its parser reads it.
            amount = json.loads(f"{minor // 100}.{minor % 100:02}")
            if not all(validator.is_valid(amount) for validator in validators):
                refused.append(f"{schema}.{field}: {amount}")
        for wrong in [-0.01, 100_000_000.01, "1", None]:
            if any(validator.is_valid(wrong) for validator in validators):
                refused.append(f"{schema}.{field} accepts {wrong}")
    for line in refused[:20]:
        print(f"prices: a validator is wrong about {line}")
    print(f"prices: {len(AMOUNTS)} amounts, {len(FIELDS)} fields, {len(refused)} faults")
    sys.exit(1 if refused else 0)


main()
