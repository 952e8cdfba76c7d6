"""The JSON schema of results.json: `python -m edge_seg_bench.schema > docs/results.schema.json`."""

import json
import sys

from edge_seg_bench.results import RESULTS_VERSION, Results


def schema_text() -> str:
    """Return the JSON schema (draft 2020-12) of a results.json, as a file's text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Results.model_json_schema(),
        "title": f"Results of edge-seg bench, version {RESULTS_VERSION}",
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
