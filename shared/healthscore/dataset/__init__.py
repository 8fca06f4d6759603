"""The nightly dataset: Parquet files in the stack's bucket. The only importer of S3 and DuckDB."""
