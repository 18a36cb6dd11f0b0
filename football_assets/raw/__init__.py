"""Read landing files into `raw_matches` and `raw_matches_rejected`.

`landing` copies local files into the bucket, `sync` those of public sources. `formats` and `kaggle` parse files to
rows. `rules` validates rows, and `matching` merges the entries of several files into matches. `matches` runs these
steps, and `assets` and `checks` are the Dagster shell.
"""
