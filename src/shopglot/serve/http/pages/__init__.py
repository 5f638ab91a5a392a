"""The pages that people see: try a query, compare two models, read the report, review labels, watch the server."""
