"""The reports of a results.json: Markdown, CSV, a picture, and a page that stands alone."""
